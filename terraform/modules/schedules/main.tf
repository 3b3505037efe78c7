# Tests that start by the clock: EventBridge Scheduler starts the state machine with the test's input.

resource "aws_scheduler_schedule_group" "this" {
  name = var.name
  tags = var.tags
}

resource "aws_scheduler_schedule" "this" {
  for_each = var.schedules

  name                         = each.key
  group_name                   = aws_scheduler_schedule_group.this.name
  description                  = coalesce(each.value.description, "Runs ${each.value.project}/${each.value.test}")
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.timezone
  state                        = each.value.enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode                      = each.value.flexible_minutes == 0 ? "OFF" : "FLEXIBLE"
    maximum_window_in_minutes = each.value.flexible_minutes == 0 ? null : each.value.flexible_minutes
  }

  target {
    arn      = try(var.state_machine_arns[each.value.project], var.state_machine_arns["*"])
    role_arn = aws_iam_role.this.arn

    # The templated target hands this to StartExecution as it is; the execution's name is Scheduler's, and the id of the
    # run is derived from it. What is run stands in config/placement.json: an input that cannot be delivered lies in the queue.
    input = jsonencode({ schedule = each.key })

    dead_letter_config {
      arn = var.dead_letter_queue_arn
    }

    # A soak that cannot start within the hour is better not started: the next one is due tomorrow.
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }
  }
}

resource "aws_iam_role" "this" {
  name        = "${var.iam_prefix}-schedules"
  description = "Floodgate ${var.name}: lets EventBridge Scheduler start runs"
  tags        = var.tags

  # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = var.account_id
          "aws:SourceArn"     = aws_scheduler_schedule_group.this.arn
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "schedules"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "StartRuns"
        Effect   = "Allow"
        Action   = ["states:StartExecution"]
        Resource = values(var.state_machine_arns)
      },
      {
        Sid      = "DeadLetters"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [var.dead_letter_queue_arn]
      },
    ]
  })
}
