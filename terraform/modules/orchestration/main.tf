# The state machines, from the same file that the tests render, and the rule that calls reap when a run ends in any other
# way than by itself.

resource "aws_sfn_state_machine" "this" {
  for_each = var.machines

  name     = each.value.name
  type     = "STANDARD"
  role_arn = aws_iam_role.state_machine.arn
  tags     = var.tags

  definition = templatefile("${path.module}/../../../infra/state-machine.asl.json", {
    prepare_arn = var.function_arns["prepare"]
    launch_arn  = var.function_arns["launch"]
    watch_arn   = var.function_arns["watch"]
    merge_arn   = var.function_arns["merge"]
    finish_arn  = var.function_arns["finish"]
    reap_arn    = var.function_arns["reap"]
    bucket      = var.bucket
    project     = each.value.project
    scheduled   = each.value.scheduled ? "yes" : "no"

    merge_concurrency = var.merge_concurrency
  })

  logging_configuration {
    level                  = var.log_level
    include_execution_data = var.log_execution_data
    log_destination        = "${aws_cloudwatch_log_group.state_machine.arn}:*"
  }

  dynamic "tracing_configuration" {
    for_each = var.tracing ? [true] : []

    content {
      enabled = tracing_configuration.value
    }
  }

  depends_on = [aws_iam_role_policy.state_machine]
}

# There was one for all projects.
moved {
  from = aws_sfn_state_machine.this
  to   = aws_sfn_state_machine.this["*"]
}

# The prefix keeps the log group out of the account's resource policy for logs, which has a size limit that many state
# machines exhaust. https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
resource "aws_cloudwatch_log_group" "state_machine" {
  name              = "/aws/vendedlogs/states/floodgate/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

# A run that was stopped, timed out or failed leaves tasks running if it ended between two states. Recovery executions
# (reap-…) are left out, else a recovery that fails would start another for ever. Children of the Distributed Map have
# another stateMachineArn. https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
resource "aws_cloudwatch_event_rule" "ended" {
  name        = "${var.name}-ended"
  description = "Runs of ${var.name} that did not end in success: reap looks for what they left behind"
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.states"]
    detail-type = ["Step Functions Execution Status Change"]
    detail = {
      stateMachineArn = [for machine in aws_sfn_state_machine.this : machine.arn]
      status          = ["ABORTED", "FAILED", "TIMED_OUT"]
      name            = [{ anything-but = { prefix = "reap-" } }]
    }
  })
}

resource "aws_cloudwatch_event_target" "reap" {
  rule      = aws_cloudwatch_event_rule.ended.name
  target_id = "reap"
  arn       = var.function_arns["reap"]

  # An event has the whole input of the run, values of its environment among them, and what cannot be delivered lies in the queue for
  # two weeks. So reap is told which run it is, and asks Step Functions for the rest.
  input_transformer {
    input_paths = {
      arn    = "$.detail.executionArn"
      name   = "$.detail.name"
      status = "$.detail.status"
      start  = "$.detail.startDate"
    }
    input_template = "{\"detail\": {\"executionArn\": <arn>, \"name\": <name>, \"status\": <status>, \"startDate\": <start>}}"
  }

  dead_letter_config {
    arn = var.dead_letter_queue_arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 20
  }
}

resource "aws_lambda_permission" "ended" {
  statement_id  = "ended"
  action        = "lambda:InvokeFunction"
  function_name = var.function_arns["reap"]
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.ended.arn
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = var.dead_letter_queue_url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "UndeliveredEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["sqs:SendMessage"]
        Resource  = [var.dead_letter_queue_arn]
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.ended.arn } }
      },
      {
        Sid       = "DenyPlainText"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["sqs:SendMessage", "sqs:ReceiveMessage"]
        Resource  = [var.dead_letter_queue_arn]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
