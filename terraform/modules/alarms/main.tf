# What nobody looks at until it has cost money: runs that end badly, tasks without a run, spend, events that got lost.

locals {
  actions = concat(
    var.topic_arn == null ? [] : [var.topic_arn],
    [for topic in aws_sns_topic.this : topic.arn],
  )

  # Metrics that the functions write in the embedded metric format; functions/src names them.
  alarms = merge(
    { for key, arn in var.state_machine_arns : "failed${key == "*" ? "" : "_${replace(key, "/", "_")}"}" => {
      description = "Runs of ${key} that ended without success. A breached threshold counts: look into the run's record for which it was."
      namespace   = "AWS/States"
      metric      = "ExecutionsFailed"
      dimensions  = { StateMachineArn = arn }
      period_s    = 300
      statistic   = "Sum"
      threshold   = var.failed_executions
    } },
    { for key, arn in var.state_machine_arns : "timed-out${key == "*" ? "" : "_${replace(key, "/", "_")}"}" => {
      description = "Runs of ${key} that reached the state machine's time-out: the functions no longer kept them going."
      namespace   = "AWS/States"
      metric      = "ExecutionsTimedOut"
      dimensions  = { StateMachineArn = arn }
      period_s    = 300
      statistic   = "Sum"
      threshold   = 1
    } },
    {
      errored = {
        description = "Runs that could not be carried out: capacity, permissions or a fault of Floodgate's, not of the target's."
        namespace   = "Floodgate"
        metric      = "Executions"
        dimensions  = { Stack = var.name, Status = "errored" }
        period_s    = 300
        statistic   = "Sum"
        threshold   = 1
      }
      orphaned-tasks = {
        description = "Generators that were found running without a run. They have been stopped; find out why they were left."
        namespace   = "Floodgate"
        metric      = "OrphanedTasksStopped"
        dimensions  = { Stack = var.name }
        period_s    = 300
        statistic   = "Sum"
        threshold   = 1
      }
      reap-errors = {
        description = "The function that stops what broken runs left behind fails itself: look whether tasks are running."
        namespace   = "AWS/Lambda"
        metric      = "Errors"
        dimensions  = { FunctionName = var.reap_function_name }
        period_s    = 300
        statistic   = "Sum"
        threshold   = 1
      }
      dead-letters = {
        description = "Schedules or calls of reap that could not be delivered lie in the queue."
        namespace   = "AWS/SQS"
        metric      = "ApproximateNumberOfMessagesVisible"
        dimensions  = { QueueName = var.dead_letter_queue_name }
        period_s    = 300
        statistic   = "Maximum"
        threshold   = 1
      }
    },
    { for limit in [var.daily_spend_usd] : "spend" => {
      description = "All runs of a day together cost more than ${limit} USD."
      namespace   = "Floodgate"
      metric      = "ActualCostUsd"
      dimensions  = { Stack = var.name }
      period_s    = 86400
      statistic   = "Sum"
      threshold   = limit
    } if limit != null },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period_s
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  # No run, no metric: that is the usual state of a stack.
  treat_missing_data = "notBreaching"
  alarm_actions      = local.actions
  ok_actions         = local.actions
  tags               = var.tags
}

resource "aws_sns_topic" "this" {
  count = length(var.emails) == 0 ? 0 : 1

  name = "${var.name}-alarms"
  tags = var.tags
}

resource "aws_sns_topic_policy" "this" {
  count = length(aws_sns_topic.this)

  arn = aws_sns_topic.this[count.index].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsPublish"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = ["sns:Publish"]
      Resource  = [aws_sns_topic.this[count.index].arn]
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.this[0].arn
  protocol  = "email"
  endpoint  = each.value
}
