# What each function may do: the actions that functions/permissions.json says its code calls, each on named resources.
# functions/tests/terraform holds the two against each other.

resource "aws_iam_role" "this" {
  for_each = local.deployed

  name        = "${var.iam_prefix}-${each.key}"
  description = "Floodgate ${var.name}: ${each.value.description}"
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

resource "aws_iam_role_policy" "this" {
  for_each = local.deployed

  name   = "function"
  role   = aws_iam_role.this[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements[each.key] })
}

# What Lambda does in the function's name, not its code: logs, traces, the dead-letter queue, the key.
resource "aws_iam_role_policy" "platform" {
  for_each = local.deployed

  name = "platform"
  role = aws_iam_role.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this[each.key].arn}:*"]
      }],
      [for queue in [aws_sqs_queue.dead_letters.arn] : {
        Sid      = "DeadLetters"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [queue]
      } if contains(["reap", "notify", "export"], each.key)],
      [for traced in [var.tracing] : {
        Sid    = "Trace"
        Effect = "Allow"
        Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        # X-Ray has no resources to name for these two.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        Resource = ["*"]
      } if traced],
      [for network in [var.export_network] : {
        Sid    = "Connect"
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ]
        # Lambda makes the interfaces before there is a name for them: this is the list that it asks for.
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
        Resource = ["*"]
      } if each.key == "export" && network != null],
      # The code itself has no business with them; only Lambda, which does not name the function as the source of its calls.
      # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice
      [for network in [var.export_network] : {
        Sid    = "ConnectNothingElse"
        Effect = "Deny"
        Action = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ]
        Resource  = ["*"]
        Condition = { ArnEquals = { "lambda:SourceFunctionArn" = [local.export_function] } }
      } if each.key == "export" && network != null],
      [for key in [var.kms_key_arn] : {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [key]
      } if key != null],
    )
  })
}
