locals {
  # S3 answers 403 instead of 404 for an object that is not there, unless the caller may list.
  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
  list_projects = {
    Sid       = "ListProjects"
    Effect    = "Allow"
    Action    = ["s3:ListBucket"]
    Resource  = [var.bucket_arn]
    Condition = { StringLike = { "s3:prefix" = ["projects/*", "config/*"] } }
  }

  read_executions = {
    Sid      = "ReadExecutions"
    Effect   = "Allow"
    Action   = ["s3:GetObject"]
    Resource = [local.executions, local.placement]
  }

  write_executions = {
    Sid      = "WriteExecutions"
    Effect   = "Allow"
    Action   = ["s3:PutObject", "s3:PutObjectTagging"]
    Resource = [local.executions]
  }

  records = {
    Sid      = "Records"
    Effect   = "Allow"
    Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
    Resource = [var.table_arn, "${var.table_arn}/index/*"]
  }

  # DescribeTasks and StopTask name tasks, of which only the cluster is known beforehand.
  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
  stop_tasks = {
    Sid       = "StopTasks"
    Effect    = "Allow"
    Action    = ["ecs:DescribeTasks", "ecs:StopTask"]
    Resource  = [local.tasks]
    Condition = { ArnLike = { "ecs:cluster" = local.clusters } }
  }

  # ListTasks has no resource for tasks on Fargate (its only one is container-instance), but knows the cluster as a
  # condition. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
  list_tasks = {
    Sid       = "ListTasks"
    Effect    = "Allow"
    Action    = ["ecs:ListTasks"]
    Resource  = ["*"]
    Condition = { ArnLike = { "ecs:cluster" = local.clusters } }
  }

  # IAM refuses a statement without resources: of a list that is empty, no statement is made.
  read_secrets = [for arns in [var.secret_arns] : {
    Sid      = "ReadSecrets"
    Effect   = "Allow"
    Action   = ["secretsmanager:GetSecretValue"]
    Resource = arns
  } if length(arns) > 0]

  publish = [for arns in [var.topic_arns] : {
    Sid      = "Notify"
    Effect   = "Allow"
    Action   = ["sns:Publish"]
    Resource = arns
  } if length(arns) > 0]

  statements = {
    prepare = concat(
      [
        local.list_projects,
        local.read_executions,
        local.write_executions,
        local.records,
        {
          Sid      = "Definitions"
          Effect   = "Allow"
          Action   = ["s3:GetObject", "s3:PutObject"]
          Resource = [local.definitions]
        },
        {
          # Service Quotas has no resource for reading.
          # https://docs.aws.amazon.com/service-authorization/latest/reference/list_servicequotas.html
          Sid      = "ReadQuotas"
          Effect   = "Allow"
          Action   = ["servicequotas:GetServiceQuota"]
          Resource = ["*"]
        },
      ],
      local.read_secrets,
    )

    launch = [
      local.list_projects,
      local.read_executions,
      local.write_executions,
      local.records,
      local.list_tasks,
      local.stop_tasks,
      {
        Sid       = "RunTasks"
        Effect    = "Allow"
        Action    = ["ecs:RunTask"]
        Resource  = [local.generators]
        Condition = { ArnLike = { "ecs:cluster" = local.clusters } }
      },
      {
        # Tags on tasks, but only while they are started.
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
        Sid       = "TagTasks"
        Effect    = "Allow"
        Action    = ["ecs:TagResource"]
        Resource  = [local.tasks]
        Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
      },
      {
        Sid       = "HandRolesToTasks"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = var.task_role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]

    watch = [
      local.list_projects,
      local.read_executions,
      local.write_executions,
      local.records,
      local.list_tasks,
      local.stop_tasks,
    ]

    merge = [
      local.list_projects,
      local.read_executions,
      local.write_executions,
    ]

    finish = concat(
      [
        local.list_projects,
        local.read_executions,
        local.write_executions,
        local.records,
      ],
      local.read_secrets,
      local.publish,
    )

    reap = [
      local.list_projects,
      local.read_executions,
      local.write_executions,
      local.records,
      local.list_tasks,
      local.stop_tasks,
      {
        Sid      = "StartRecovery"
        Effect   = "Allow"
        Action   = ["states:StartExecution"]
        Resource = [var.state_machine_arn]
      },
    ]
  }
}
