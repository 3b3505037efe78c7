locals {
  executions = "${var.bucket_arn}/projects/*/executions/*"
  buckets    = "${var.bucket_arn}/projects/*/buckets/*"
  outbox     = "${var.bucket_arn}/notifications/*"
  tasks      = "arn:${var.partition}:ecs:*:${var.account_id}:task/${var.name}/*"
  clusters   = "arn:${var.partition}:ecs:*:${var.account_id}:cluster/${var.name}"
  generators = "arn:${var.partition}:ecs:*:${var.account_id}:task-definition/${var.name}-generator-*:*"

  export_function = "arn:${var.partition}:lambda:${var.region}:${var.account_id}:function:${var.name}-export"

  repositories = "arn:${var.partition}:ecr:${var.region}:${var.account_id}:repository/${var.name}/generator-*"

  in_clusters = { ArnLike = { "ecs:cluster" = local.clusters } }

  # S3 answers 403 instead of 404 for an object that is not there, unless the caller may list.
  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
  list_bucket = {
    Sid      = "ListBucket"
    Effect   = "Allow"
    Action   = ["s3:ListBucket"]
    Resource = [var.bucket_arn]
  }

  read_placement_and_executions = {
    Sid      = "ReadExecutions"
    Effect   = "Allow"
    Action   = ["s3:GetObject"]
    Resource = ["${var.bucket_arn}/config/placement.json", local.executions]
  }

  read_placement_and_projects = {
    Sid      = "ReadProjects"
    Effect   = "Allow"
    Action   = ["s3:GetObject"]
    Resource = ["${var.bucket_arn}/config/placement.json", "${var.bucket_arn}/projects/*"]
  }

  write_control = {
    Sid      = "WriteControl"
    Effect   = "Allow"
    Action   = ["s3:PutObject"]
    Resource = ["${local.executions}/control/*"]
  }

  read_record = {
    Sid      = "ReadRecord"
    Effect   = "Allow"
    Action   = ["dynamodb:GetItem"]
    Resource = [var.table_arn]
  }

  # The audit trail has a partition of its own for each project: who writes records does not reach it.
  of_records = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["PROJECT#*"] } }
  of_trails  = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["AUDIT#*"] } }

  write_records = {
    Sid       = "WriteRecords"
    Effect    = "Allow"
    Action    = ["dynamodb:GetItem", "dynamodb:PutItem"]
    Resource  = [var.table_arn]
    Condition = local.of_records
  }

  # Entries and the head that each of them becomes are put; nobody may update or delete them.
  append_to_trail = {
    Sid       = "AppendToTrail"
    Effect    = "Allow"
    Action    = ["dynamodb:GetItem", "dynamodb:PutItem"]
    Resource  = [var.table_arn]
    Condition = local.of_trails
  }

  # What a month's runs have cost and hold: one item, changed on a condition.
  write_accounts = {
    Sid       = "WriteAccounts"
    Effect    = "Allow"
    Action    = ["dynamodb:UpdateItem"]
    Resource  = [var.table_arn]
    Condition = local.of_records
  }

  find_record = {
    Sid      = "FindRecord"
    Effect   = "Allow"
    Action   = ["dynamodb:Query"]
    Resource = ["${var.table_arn}/index/GSI2"]
  }

  # The only resource of ListTasks is a container instance, which Fargate has not; but it knows the cluster as a condition.
  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
  list_tasks = {
    Sid       = "ListTasks"
    Effect    = "Allow"
    Action    = ["ecs:ListTasks"]
    Resource  = ["*"]
    Condition = local.in_clusters
  }

  describe_tasks = {
    Sid       = "DescribeTasks"
    Effect    = "Allow"
    Action    = ["ecs:DescribeTasks"]
    Resource  = [local.tasks]
    Condition = local.in_clusters
  }

  stop_tasks = {
    Sid       = "StopTasks"
    Effect    = "Allow"
    Action    = ["ecs:DescribeTasks", "ecs:StopTask"]
    Resource  = [local.tasks]
    Condition = local.in_clusters
  }

  # IAM refuses a statement without resources: of an empty list, none is made.
  find_secrets = [for statement in [{
    Sid      = "FindSecrets"
    Effect   = "Allow"
    Action   = ["secretsmanager:DescribeSecret"]
    Resource = var.secret_arns
  }] : statement if length(var.secret_arns) > 0]

  # For each sink of a run; nobody waits for it.
  begin_exports = {
    Sid      = "BeginExports"
    Effect   = "Allow"
    Action   = ["lambda:InvokeFunction"]
    Resource = [local.export_function]
  }

  # Who has notify called. A call that Lambda does not take is asked for in the outbox.
  call_notify = [for statement in [
    {
      Sid      = "CallNotify"
      Effect   = "Allow"
      Action   = ["lambda:InvokeFunction"]
      Resource = ["arn:${var.partition}:lambda:${var.region}:${var.account_id}:function:${var.name}-notify"]
    },
    {
      Sid      = "AskForNotifications"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = ["${var.bucket_arn}/notifications/*/asked/*"]
    },
  ] : statement if var.notifications]

  # Secrets Manager decrypts in the caller's name. https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
  decrypt_secrets = [for statement in [{
    Sid       = "DecryptSecrets"
    Effect    = "Allow"
    Action    = ["kms:Decrypt"]
    Resource  = var.secret_kms_key_arns
    Condition = { StringLike = { "kms:ViaService" = "secretsmanager.*.amazonaws.com*" } }
  }] : statement if length(var.secret_kms_key_arns) > 0]

  read_secrets = concat(
    [for statement in [{
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = var.secret_arns
    }] : statement if length(var.secret_arns) > 0],
    local.decrypt_secrets,
  )

  # Receivers in AWS: those that are listed, and none where the list is empty.
  send_notifications = concat(
    [for statement in [{
      Sid      = "PublishToTopics"
      Effect   = "Allow"
      Action   = ["sns:Publish"]
      Resource = var.topic_arns
    }] : statement if length(var.topic_arns) > 0],
    [for statement in [{
      Sid      = "PutEventsOnBuses"
      Effect   = "Allow"
      Action   = ["events:PutEvents"]
      Resource = var.event_bus_arns
    }] : statement if length(var.event_bus_arns) > 0],
    [for statement in [{
      Sid      = "SendMail"
      Effect   = "Allow"
      Action   = ["ses:SendEmail"]
      Resource = var.ses_identity_arns
    }] : statement if length(var.ses_identity_arns) > 0],
  )

  # Secrets of all projects and of the stack's own exports: which of them a run may use, the code decides.
  exported_secrets = distinct(concat(var.secret_arns, var.export_secret_arns))

  read_exported_secrets = concat(
    [for statement in [{
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = local.exported_secrets
    }] : statement if length(local.exported_secrets) > 0],
    local.decrypt_secrets,
  )

  put_metrics = [for statement in [{
    # PutMetricData has no resource; but it knows the namespace as a condition.
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    Sid       = "PutMetrics"
    Effect    = "Allow"
    Action    = ["cloudwatch:PutMetricData"]
    Resource  = ["*"]
    Condition = { StringEquals = { "cloudwatch:namespace" = var.cloudwatch_namespaces } }
  }] : statement if length(var.cloudwatch_namespaces) > 0]

  statements = {
    prepare = concat(
      [
        local.list_bucket,
        local.read_placement_and_projects,
        local.write_records,
        local.append_to_trail,
        local.find_record,
        local.write_accounts,
        {
          Sid      = "ReadSwitch"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${var.bucket_arn}/config/halt.json"]
        },
        local.list_tasks,
        local.describe_tasks,
        {
          Sid      = "WriteDefinitionsAndPlans"
          Effect   = "Allow"
          Action   = ["s3:PutObject"]
          Resource = ["${var.bucket_arn}/projects/*/definitions/*", local.executions]
        },
        {
          Sid      = "FindImages"
          Effect   = "Allow"
          Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = [local.repositories]
        },
        {
          # Quotas have no resource for reading.
          # https://docs.aws.amazon.com/service-authorization/latest/reference/list_servicequotas.html
          Sid      = "ReadQuotas"
          Effect   = "Allow"
          Action   = ["servicequotas:GetServiceQuota"]
          Resource = ["*"]
        },
      ],
      local.find_secrets,
      local.call_notify,
    )

    launch = [
      local.list_bucket,
      local.read_placement_and_executions,
      local.read_record,
      local.list_tasks,
      {
        Sid      = "WritePlaced"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${local.executions}/control/placed.json"]
      },
      {
        Sid       = "RunTasks"
        Effect    = "Allow"
        Action    = ["ecs:RunTask"]
        Resource  = [local.generators]
        Condition = local.in_clusters
      },
      local.describe_tasks,
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
      local.list_bucket,
      local.read_placement_and_projects,
      local.write_control,
      local.write_records,
      local.stop_tasks,
      local.begin_exports,
    ]

    merge = [
      local.list_bucket,
      local.read_placement_and_executions,
      local.read_record,
      {
        Sid      = "WriteParts"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${local.executions}/control/merge.json", "${local.executions}/merge/*"]
      },
      {
        Sid      = "DropOldParts"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject"]
        Resource = ["${local.executions}/control/merge.json"]
      },
    ]

    finish = concat(
      [
        local.list_bucket,
        local.read_placement_and_projects,
        local.write_records,
        local.append_to_trail,
        local.write_accounts,
        {
          # The last run of the test that passed.
          Sid      = "FindBaseline"
          Effect   = "Allow"
          Action   = ["dynamodb:Query"]
          Resource = ["${var.table_arn}/index/GSI1"]
        },
        {
          Sid      = "WriteResults"
          Effect   = "Allow"
          Action   = ["s3:PutObject"]
          Resource = [local.executions, local.buckets]
        },
        local.begin_exports,
      ],
      local.call_notify,
    )

    reap = concat(
      [
        local.list_bucket,
        local.read_placement_and_projects,
        local.write_control,
        local.write_records,
        local.append_to_trail,
        local.write_accounts,
        local.find_record,
        local.list_tasks,
        local.stop_tasks,
        {
          Sid      = "StartRecovery"
          Effect   = "Allow"
          Action   = ["states:StartExecution"]
          Resource = var.state_machine_arns
        },
        {
          Sid      = "LookAtEnded"
          Effect   = "Allow"
          Action   = ["states:DescribeExecution"]
          Resource = var.execution_arns
        },
      ],
      local.call_notify,
    )

    notify = concat(
      [
        local.list_bucket,
        {
          Sid      = "ReadRunsAndOutbox"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${var.bucket_arn}/config/placement.json", "${var.bucket_arn}/projects/*/definitions/*", local.executions, local.outbox]
        },
        local.read_record,
        {
          # How the run before it ended.
          Sid      = "FindRunBefore"
          Effect   = "Allow"
          Action   = ["dynamodb:Query"]
          Resource = ["${var.table_arn}/index/GSI1"]
        },
        {
          Sid      = "KeepOutbox"
          Effect   = "Allow"
          Action   = ["s3:PutObject", "s3:DeleteObject"]
          Resource = [local.outbox]
        },
      ],
      local.read_secrets,
      local.send_notifications,
    )

    export = concat(
      [
        local.list_bucket,
        local.read_placement_and_projects,
        {
          Sid      = "WriteMarks"
          Effect   = "Allow"
          Action   = ["s3:PutObject"]
          Resource = ["${local.executions}/exports/*"]
        },
        # A run may go on for longer than an invocation.
        local.begin_exports,
        local.write_records,
      ],
      local.read_exported_secrets,
      local.put_metrics,
    )
  }
}
