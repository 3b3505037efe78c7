resource "aws_iam_role" "state_machine" {
  name        = "${var.iam_prefix}-state-machine"
  description = "Floodgate ${var.name}: calls the functions"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "state_machine" {
  name = "state-machine"
  role = aws_iam_role.state_machine.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "CallFunctions"
          Effect   = "Allow"
          Action   = ["lambda:InvokeFunction"]
          Resource = [for function, arn in var.function_arns : arn if !contains(["notify", "export"], function)]
        },
        {
          # The Distributed Map runs one child execution an entry.
          # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
          Sid      = "StartChildren"
          Effect   = "Allow"
          Action   = ["states:StartExecution"]
          Resource = var.state_machine_arns
        },
        {
          Sid    = "FollowChildren"
          Effect = "Allow"
          Action = ["states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"]
          Resource = flatten([for arn in var.state_machine_arns : [
            "${replace(arn, ":stateMachine:", ":execution:")}:*",
            "${replace(arn, ":stateMachine:", ":execution:")}/*",
          ]])
        },
        {
          # Delivery of logs has no resources to name.
          # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
          Sid    = "DeliverLogs"
          Effect = "Allow"
          Action = [
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
          ]
          Resource = ["*"]
        },
      ],
      [for traced in [var.tracing] : {
        # Nor has X-Ray. https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html
        Sid    = "Trace"
        Effect = "Allow"
        Action = [
          "xray:GetSamplingRules",
          "xray:GetSamplingTargets",
          "xray:PutTelemetryRecords",
          "xray:PutTraceSegments",
        ]
        Resource = ["*"]
      } if traced],
    )
  })
}
