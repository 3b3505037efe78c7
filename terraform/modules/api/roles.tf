# What the API's function may do. Which of it a caller may have done is decided by their role in the project (crates/policy); this is the
# second line: no records but through the state machine, and no object outside of what it writes here.

resource "aws_iam_role" "api" {
  name        = "${var.iam_prefix}-api"
  description = "Floodgate ${var.name}: answers requests about runs, starts and stops them"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "api" {
  name = "function"
  role = aws_iam_role.api.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "ReadResultsAndSettings"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${var.bucket_arn}/config/api.json", "${var.bucket_arn}/config/halt.json", "${var.bucket_arn}/projects/*"]
        },
        {
          # S3 answers 403 instead of 404 for an object that is not there, unless the caller may list.
          Sid      = "ListResults"
          Effect   = "Allow"
          Action   = ["s3:ListBucket"]
          Resource = [var.bucket_arn]
        },
        {
          Sid    = "WriteOrdersBaselinesAndBudgets"
          Effect = "Allow"
          Action = ["s3:PutObject"]
          Resource = [
            "${var.bucket_arn}/projects/*/baselines/*",
            "${var.bucket_arn}/projects/*/budget.json",
            "${var.bucket_arn}/projects/*/halt.json",
            "${var.bucket_arn}/projects/*/starts/*",
            "${var.bucket_arn}/projects/*/executions/*/control/order.json",
            "${var.bucket_arn}/projects/*/executions/*/control/stop.json",
            "${var.bucket_arn}/projects/*/executions/*/control/stop-vouched.json",
          ]
        },
        {
          Sid      = "ReadRecords"
          Effect   = "Allow"
          Action   = ["dynamodb:GetItem"]
          Resource = [var.table_arn]
        },
        {
          # Who pins a baseline is known here alone. Records are not put, and entries are neither updated nor deleted.
          Sid       = "AppendToTrail"
          Effect    = "Allow"
          Action    = ["dynamodb:PutItem"]
          Resource  = [var.table_arn]
          Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["AUDIT#*"] } }
        },
        {
          Sid      = "ListRecords"
          Effect   = "Allow"
          Action   = ["dynamodb:Query"]
          Resource = [var.table_arn, "${var.table_arn}/index/GSI1"]
        },
        {
          Sid      = "StartRuns"
          Effect   = "Allow"
          Action   = ["states:StartExecution"]
          Resource = values(var.state_machine_arns)
        },
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.api.arn}:*"]
        },
      ],
      [for traced in [var.tracing] : {
        Sid    = "Trace"
        Effect = "Allow"
        Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        # X-Ray has no resources to name for these two.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        Resource = ["*"]
      } if traced],
      [for key in [var.kms_key_arn] : {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [key]
      } if key != null],
    )
  })
}
