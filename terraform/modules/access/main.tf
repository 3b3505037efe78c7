# A policy for whoever starts runs of a project: a pipeline's role, a person. Attach it to them; the stack makes no users.

locals {
  # The project "*" is all of them.
  prefix = { for project in var.projects : project => "${var.bucket_arn}/projects/${project}" }
}

resource "aws_iam_policy" "runner" {
  for_each = var.projects

  name        = "${var.iam_prefix}-runner-${each.key == "*" ? "all" : each.key}"
  description = "Floodgate ${var.name}: start, follow and abort runs of ${each.key == "*" ? "every project" : each.key}"
  tags        = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "StartRuns"
          Effect   = "Allow"
          Action   = ["states:StartExecution"]
          Resource = [var.state_machine_arn]
        },
        {
          Sid      = "FollowRuns"
          Effect   = "Allow"
          Action   = ["states:DescribeExecution", "states:StopExecution"]
          Resource = ["${replace(var.state_machine_arn, ":stateMachine:", ":execution:")}:*"]
        },
        {
          Sid      = "ReadResults"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${local.prefix[each.key]}/*"]
        },
        {
          Sid       = "ListResults"
          Effect    = "Allow"
          Action    = ["s3:ListBucket"]
          Resource  = [var.bucket_arn]
          Condition = { StringLike = { "s3:prefix" = ["projects/${each.key}/*"] } }
        },
        {
          Sid    = "UploadDefinitionsAndOrderStops"
          Effect = "Allow"
          Action = ["s3:PutObject"]
          Resource = [
            "${local.prefix[each.key]}/definitions/*",
            "${local.prefix[each.key]}/executions/*/control/stop.json",
          ]
        },
        merge(
          {
            Sid      = "Records"
            Effect   = "Allow"
            Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
            Resource = [var.table_arn, "${var.table_arn}/index/GSI1"]
          },
          each.key == "*" ? {} : {
            Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["PROJECT#${each.key}", "TEST#${each.key}#*"] } }
          },
        ),
      ],
      [for index in ["${var.table_arn}/index/GSI2"] : {
        # Runs of all projects, newest first: for whoever may see all of them.
        Sid      = "ListAllRuns"
        Effect   = "Allow"
        Action   = ["dynamodb:Query"]
        Resource = [index]
      } if each.key == "*"],
      [for key in [var.kms_key_arn] : {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [key]
      } if key != null],
    )
  })
}
