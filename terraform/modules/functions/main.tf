# Eight functions from one program: FLOODGATE_FUNCTION says which it is. Each has a role of its own.

locals {
  # Each ends before the state machine's task gives up on it, so that no call runs twice at a time.
  functions = {
    prepare = { memory_mb = 512, timeout_s = 80, description = "Validates the definition, plans the run, creates its record" }
    launch  = { memory_mb = 512, timeout_s = 80, description = "Starts the generators" }
    watch   = { memory_mb = 1769, timeout_s = 80, description = "Starts the load, watches it, stops it" }
    merge   = { memory_mb = 3008, timeout_s = 900, description = "Adds shards up" }
    finish  = { memory_mb = 3008, timeout_s = 900, description = "Evaluates thresholds, writes verdict and report" }
    reap    = { memory_mb = 512, timeout_s = 140, description = "Stops what a broken run left behind" }
    notify  = { memory_mb = 512, timeout_s = 120, description = "Tells of runs what their definitions want told" }
    export  = { memory_mb = 1769, timeout_s = 900, description = "Hands what a run measured to a sink" }
  }

  # What a stack does not want is not there.
  deployed = { for function, defaults in local.functions : function => defaults if function != "notify" || var.notifications }

  settings = {
    for function, defaults in local.deployed : function => {
      memory_mb   = coalesce(try(var.overrides[function].memory_mb, null), defaults.memory_mb)
      timeout_s   = coalesce(try(var.overrides[function].timeout_s, null), defaults.timeout_s)
      description = defaults.description
    }
  }

  # What functions/src/config.rs reads, and no more.
  environment = {
    FLOODGATE_STACK         = var.name
    FLOODGATE_BUCKET        = var.bucket
    FLOODGATE_BUCKET_REGION = var.region
    FLOODGATE_TABLE         = var.table
    FLOODGATE_LOG           = var.log_level
  }

  # Who has notify called, by its name; empty where there is none.
  notify = var.notifications ? "${var.name}-notify" : ""

  environment_of = {
    prepare = {
      FLOODGATE_NOTIFY = local.notify
    }
    finish = {
      FLOODGATE_NOTIFY = local.notify
    }
    reap = {
      FLOODGATE_STATE_MACHINE = var.state_machine_base
      FLOODGATE_NOTIFY        = local.notify
    }
    notify = {
      FLOODGATE_CONSOLE_URL = var.console_url == null ? "" : var.console_url
    }
  }
}

resource "aws_lambda_function" "this" {
  for_each = local.settings

  function_name    = "${var.name}-${each.key}"
  description      = each.value.description
  role             = aws_iam_role.this[each.key].arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.architecture]
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  memory_size      = each.value.memory_mb
  timeout          = each.value.timeout_s
  tags             = var.tags

  environment {
    # The SDK's own variable; on AWS it is not set.
    variables = merge(
      { FLOODGATE_FUNCTION = each.key },
      local.environment,
      try(local.environment_of[each.key], {}),
      var.emulator_endpoint == null ? {} : { AWS_ENDPOINT_URL = var.emulator_endpoint },
    )
  }

  # Only what exports may need a way to a private store; a function in a VPC has none to AWS but the VPC's.
  dynamic "vpc_config" {
    for_each = each.key == "export" && var.export_network != null ? [var.export_network] : []

    content {
      subnet_ids         = vpc_config.value.subnets
      security_group_ids = vpc_config.value.security_groups
    }
  }

  # The functions write JSON lines themselves, metrics in the embedded metric format among them, which Lambda would wrap
  # a second time if it were told to write JSON.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this[each.key].name
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy.platform]
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.deployed

  name              = "/floodgate/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

# Events that could not be delivered: schedules, and calls of reap and notify that nobody waits for. An alarm watches it.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
  tags                      = var.tags
}

resource "aws_lambda_function_event_invoke_config" "this" {
  for_each = toset([for function in ["reap", "notify", "export"] : function if contains(keys(local.deployed), function)])

  function_name                = aws_lambda_function.this[each.key].function_name
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = 2

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}

# There was one for reap alone.
moved {
  from = aws_lambda_function_event_invoke_config.reap
  to   = aws_lambda_function_event_invoke_config.this["reap"]
}

# Notify looks for what receivers have not taken. Without anything that waits, a look is one request to S3.
resource "aws_cloudwatch_event_rule" "notify" {
  count = var.notifications ? 1 : 0

  name                = "${var.name}-notify"
  description         = "Notifications of ${var.name} that were not taken are tried again"
  schedule_expression = "rate(5 minutes)"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "notify" {
  count = var.notifications ? 1 : 0

  rule      = aws_cloudwatch_event_rule.notify[0].name
  target_id = "notify"
  arn       = aws_lambda_function.this["notify"].arn
  input     = jsonencode({ sweep = true })
}

resource "aws_lambda_permission" "notify" {
  count = var.notifications ? 1 : 0

  statement_id  = "sweep"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["notify"].arn
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.notify[0].arn
}
