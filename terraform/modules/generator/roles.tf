locals {
  # One role a project. "*" is the one of all projects that are not named, from which those that are stay closed.
  named = sort(setsubtract(keys(var.projects), ["*"]))
  parts = { for project in keys(var.projects) : project => "${var.bucket_arn}/projects/${project}" }
  # A role's name has 64 characters at most.
  role_names = { for project in keys(var.projects) : project => project == "*" ? "${var.iam_prefix}-generator" : (
    length("${var.iam_prefix}-generator_${project}") <= 64 ? "${var.iam_prefix}-generator_${project}" : "${substr("${var.iam_prefix}-generator_${project}", 0, 55)}_${substr(sha256(project), 0, 8)}"
  ) }

  # What the generator's own code does.
  task_statements = { for project, part in local.parts : project => [
    {
      Sid      = "ReadItsPart"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${part}/definitions/*", "${part}/executions/*/plan.json", "${part}/executions/*/control/*", "${part}/executions/*/tasks/*"]
    },
    {
      # S3 answers 403 for start.json and stop.json that are not there yet to whoever may list only below a prefix, since a request for an
      # object names no prefix; then the task asks for the prefix. It sees the names of its own project's objects and no others.
      # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
      Sid       = "TellAbsentFromForbidden"
      Effect    = "Allow"
      Action    = ["s3:ListBucket"]
      Resource  = [var.bucket_arn]
      Condition = { StringLike = { "s3:prefix" = ["projects/${project}/*"] } }
    },
    {
      Sid    = "WriteWhatItMeasures"
      Effect = "Allow"
      Action = ["s3:PutObject"]
      Resource = [
        "${part}/executions/*/control/ready/*",
        # What a script's setup gives to the other tasks.
        "${part}/executions/*/control/setup.json",
        # The script of an external engine may end the test for all tasks.
        "${part}/executions/*/control/stop.json",
        "${part}/executions/*/live/*",
        "${part}/executions/*/shards/*",
        "${part}/executions/*/tasks/*",
        "${part}/executions/*/artifacts/*",
      ]
    },
    {
      # What expires before the results.
      Sid      = "TagRawData"
      Effect   = "Allow"
      Action   = ["s3:PutObjectTagging"]
      Resource = ["${part}/executions/*/live/*", "${part}/executions/*/shards/*"]
    },
  ] }
}

resource "aws_iam_role" "task" {
  for_each = var.projects

  name        = local.role_names[each.key]
  description = "Floodgate ${var.name}: what a generator of ${each.key == "*" ? "projects that are not named" : each.key} may do"
  tags        = var.tags

  assume_role_policy = local.assumed_by_tasks
}

# There was one role for all projects.
moved {
  from = aws_iam_role.task
  to   = aws_iam_role.task["*"]
}

moved {
  from = aws_iam_role_policy.task
  to   = aws_iam_role_policy.task["*"]
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
  for_each = var.projects

  name = "generator"
  role = aws_iam_role.task[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.task_statements[each.key],
      [for named in [local.named] : {
        Sid      = "NotTheirObjects"
        Effect   = "Deny"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"]
        Resource = [for project in named : "${var.bucket_arn}/projects/${project}/*"]
      } if each.key == "*" && length(named) > 0],
      [for named in [local.named] : {
        Sid       = "NotTheirLists"
        Effect    = "Deny"
        Action    = ["s3:ListBucket"]
        Resource  = [var.bucket_arn]
        Condition = { StringLike = { "s3:prefix" = [for project in named : "projects/${project}/*"] } }
      } if each.key == "*" && length(named) > 0],
      [for secrets in [each.value.secret_arns] : {
        Sid      = "ReadSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = secrets
      } if length(secrets) > 0],
      # Secrets Manager decrypts in the caller's name. https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
      [for keys in [var.secret_kms_key_arns] : {
        Sid       = "DecryptSecrets"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = keys
        Condition = { StringLike = { "kms:ViaService" = "secretsmanager.*.amazonaws.com*" } }
      } if length(keys) > 0],
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
