# The API: one function behind an HTTP API of API Gateway. It costs by request, and nothing while nobody asks.

locals {
  # Requests that are signed (SigV4) come in below /iam, where the gateway checks them; all others bring a JWT, which the function checks
  # against the issuers of config/api.json. There is no request without one or the other that gets past the function.
  routes = {
    "$default"          = "NONE"
    "ANY /iam/{proxy+}" = "AWS_IAM"
  }

  settings = {
    schema              = 1
    issuers             = var.issuers
    iam                 = var.iam
    state_machines      = var.state_machine_arns
    requests_per_second = var.requests_per_second
  }
}

resource "aws_lambda_function" "api" {
  function_name    = "${var.name}-api"
  description      = "Answers requests about runs, starts and stops them"
  role             = aws_iam_role.api.arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.architecture]
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  memory_size      = var.memory_mb
  # The gateway gives up after 30 s, and a verdict may be waited for up to 25.
  timeout = 29
  tags    = var.tags

  environment {
    variables = merge(
      {
        FLOODGATE_BUCKET        = var.bucket
        FLOODGATE_BUCKET_REGION = var.region
        FLOODGATE_TABLE         = var.table
        FLOODGATE_LOG           = var.log_level
      },
      var.emulator_endpoint == null ? {} : { AWS_ENDPOINT_URL = var.emulator_endpoint },
    )
  }

  # It writes JSON lines itself.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.api.name
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  depends_on = [aws_iam_role_policy.api]
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/floodgate/${var.name}/api"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_s3_object" "settings" {
  bucket       = var.bucket
  key          = "config/api.json"
  content      = jsonencode(local.settings)
  content_type = "application/json"

  # An object has ten tags at most, and a stack may have more.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
  override_provider {
    default_tags {
      tags = {}
    }
  }
}

resource "aws_apigatewayv2_api" "this" {
  name          = "${var.name}-api"
  description   = "Floodgate ${var.name}: runs and their verdicts"
  protocol_type = "HTTP"
  tags          = var.tags

  # The gateway answers preflights itself, before it asks who calls; no cookie is let through.
  dynamic "cors_configuration" {
    for_each = length(var.console_origins) > 0 ? [var.console_origins] : []

    content {
      allow_origins  = cors_configuration.value
      allow_methods  = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
      allow_headers  = ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"]
      expose_headers = ["etag", "location", "retry-after", "www-authenticate"]
      max_age        = 600
    }
  }
}

resource "aws_apigatewayv2_integration" "this" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.api.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  authorization_type = each.value
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  # Of all callers together: the function's own bound is for each of them, on each of its instances.
  default_route_settings {
    throttling_rate_limit  = var.requests_per_second * 10
    throttling_burst_limit = var.requests_per_second * 20
  }
}

resource "aws_lambda_permission" "gateway" {
  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.api.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*"
}
