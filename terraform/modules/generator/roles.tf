locals {
  executions  = "${var.bucket_arn}/projects/*/executions/*"
  definitions = "${var.bucket_arn}/projects/*/definitions/*"

  # What the generator's own code does.
  task_statements = [
    {
      Sid      = "ReadItsPart"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [local.definitions, "${local.executions}/plan.json", "${local.executions}/control/*"]
    },
    {
      # Without it S3 answers 403 instead of 404 for start.json and stop.json that are not there yet. A condition on s3:prefix
      # would take it away again, since a request for an object names no prefix.
      # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
      Sid      = "TellAbsentFromForbidden"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [var.bucket_arn]
    },
    {
      Sid    = "WriteWhatItMeasures"
      Effect = "Allow"
      Action = ["s3:PutObject", "s3:PutObjectTagging"]
      Resource = [
        "${local.executions}/control/ready/*",
        # The script of an external engine may end the test for all tasks.
        "${local.executions}/control/stop.json",
        "${local.executions}/live/*",
        "${local.executions}/shards/*",
        "${local.executions}/tasks/*",
        "${local.executions}/artifacts/*",
      ]
    },
  ]
}

resource "aws_iam_role" "task" {
  name        = "${var.iam_prefix}-generator"
  description = "Floodgate ${var.name}: what a generator may do"
  tags        = var.tags

  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role" "execution" {
  name        = "${var.iam_prefix}-generator-execution"
  description = "Floodgate ${var.name}: pulls the image and writes the logs of generators"
  tags        = var.tags

  assume_role_policy = local.assumed_by_tasks
}

locals {
  # The source's account and ARN keep other accounts' tasks out.
  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
  assumed_by_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:ecs:*:${var.account_id}:*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "task" {
  name = "generator"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.task_statements,
      [for secrets in [var.secret_arns] : {
        Sid      = "ReadSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = secrets
      } if length(secrets) > 0],
      [for key in [var.kms_key_arn] : {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [key]
      } if key != null],
    )
  })
}

resource "aws_iam_role_policy" "execution" {
  name = "execution"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [for repositories in [[for repository in aws_ecr_repository.this : repository.arn]] : {
        Sid      = "Pull"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = repositories
      } if length(repositories) > 0],
      [
        {
          # Signs in to the registry as a whole: there is no resource to name.
          # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
          Sid      = "SignIn"
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = ["*"]
        },
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = [for group in var.log_groups : "${group.arn}:*"]
        },
      ],
    )
  })
}
