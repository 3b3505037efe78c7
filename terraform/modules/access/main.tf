# Policies for whoever starts runs of a project: a pipeline's role, a person. Attach them; the stack makes no users. A runner reads its
# project, writes definitions and orders to stop, and asks for notifications once more; records are written by the functions alone. An admin of a project sets what its runs
# may cost and turns its kill switch.

locals {
  # The project "*" is all that are not named: what is named is closed to its runners, whatever else they may do.
  prefix = { for project in var.projects : project => "${var.bucket_arn}/projects/${project}" }
  outbox = { for project in var.projects : project => "${var.bucket_arn}/notifications/${project}" }
  named  = sort(setsubtract(var.projects, ["*"]))

  # Bounds reads of records to the project. "*" is bounded by denials.
  own_records = { for project in var.projects : project => project == "*" ? {} : {
    Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["PROJECT#${project}", "AUDIT#${project}", "TEST#${project}#*"] } }
  } }

  key_statements = [for key in [var.kms_key_arn] : {
    Sid      = "Key"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = [key]
  } if key != null]

  # The kill switch of everything.
  switch = "${var.bucket_arn}/config/halt.json"

  # What the policies of "*" may not reach.
  not_theirs = concat(
    [for named in [local.named] : {
      Sid      = "NotTheirObjects"
      Effect   = "Deny"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = flatten([for project in named : ["${var.bucket_arn}/projects/${project}/*", "${var.bucket_arn}/notifications/${project}/*"]])
    } if length(named) > 0],
    [for named in [local.named] : {
      Sid       = "NotTheirLists"
      Effect    = "Deny"
      Action    = ["s3:ListBucket"]
      Resource  = [var.bucket_arn]
      Condition = { StringLike = { "s3:prefix" = flatten([for project in named : ["projects/${project}/*", "notifications/${project}/*"]]) } }
    } if length(named) > 0],
    [for named in [local.named] : {
      Sid      = "NotTheirRecords"
      Effect   = "Deny"
      Action   = ["dynamodb:GetItem", "dynamodb:Query"]
      Resource = [var.table_arn, "${var.table_arn}/index/GSI1"]
      Condition = { "ForAnyValue:StringLike" = {
        "dynamodb:LeadingKeys" = flatten([for project in named : ["PROJECT#${project}", "AUDIT#${project}", "TEST#${project}#*"]])
      } }
    } if length(named) > 0],
  )

  # Runs of all projects, newest first: for whoever may see all of them.
  list_all_runs = {
    Sid      = "ListAllRuns"
    Effect   = "Allow"
    Action   = ["dynamodb:Query"]
    Resource = ["${var.table_arn}/index/GSI2"]
  }
}

resource "aws_iam_policy" "runner" {
  for_each = var.projects

  name        = "${var.iam_prefix}-runner-${each.key == "*" ? "all" : each.key}"
  description = "Floodgate ${var.name}: start, follow and abort runs of ${each.key == "*" ? "every project that is not named" : each.key}"
  tags        = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "StartRuns"
          Effect   = "Allow"
          Action   = ["states:StartExecution"]
          Resource = [var.state_machine_arns[each.key]]
        },
        {
          Sid      = "FollowRuns"
          Effect   = "Allow"
          Action   = ["states:DescribeExecution", "states:StopExecution"]
          Resource = var.execution_arns[each.key]
        },
        {
          Sid      = "ReadResults"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${local.prefix[each.key]}/*", "${local.outbox[each.key]}/*", local.switch]
        },
        {
          Sid       = "ListResults"
          Effect    = "Allow"
          Action    = ["s3:ListBucket"]
          Resource  = [var.bucket_arn]
          Condition = { StringLike = { "s3:prefix" = ["projects/${each.key}/*", "notifications/${each.key}/*", "config/halt.json"] } }
        },
        {
          Sid    = "UploadDefinitionsPinBaselinesOrderStopsAndAskForNotifications"
          Effect = "Allow"
          Action = ["s3:PutObject"]
          Resource = [
            "${local.prefix[each.key]}/baselines/*",
            "${local.prefix[each.key]}/definitions/*",
            "${local.prefix[each.key]}/executions/*/control/stop.json",
            "${local.outbox[each.key]}/asked/*",
          ]
        },
        merge(
          {
            Sid      = "ReadRecords"
            Effect   = "Allow"
            Action   = ["dynamodb:GetItem"]
            Resource = [var.table_arn]
          },
          local.own_records[each.key],
        ),
        merge(
          {
            Sid      = "ListRecords"
            Effect   = "Allow"
            Action   = ["dynamodb:Query"]
            Resource = [var.table_arn, "${var.table_arn}/index/GSI1"]
          },
          local.own_records[each.key],
        ),
      ],
      # That index has whole records of all projects.
      [for statement in [local.list_all_runs] : statement if each.key == "*" && length(local.named) == 0],
      [for statement in local.not_theirs : statement if each.key == "*"],
      local.key_statements,
    )
  })
}

# Sets what the runs of a project may cost, and turns its kill switch; sees what that is about.
resource "aws_iam_policy" "admin" {
  for_each = var.projects

  name        = "${var.iam_prefix}-admin-${each.key == "*" ? "all" : each.key}"
  description = "Floodgate ${var.name}: set the budget of ${each.key == "*" ? "every project that is not named" : each.key}, and halt it"
  tags        = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "ReadBudgets"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${local.prefix[each.key]}/budget.json", "${local.prefix[each.key]}/halt.json", local.switch]
        },
        {
          Sid       = "ListBudgets"
          Effect    = "Allow"
          Action    = ["s3:ListBucket"]
          Resource  = [var.bucket_arn]
          Condition = { StringLike = { "s3:prefix" = ["projects/${each.key}/budget.json", "projects/${each.key}/halt.json", "config/halt.json"] } }
        },
        {
          Sid      = "SetBudgets"
          Effect   = "Allow"
          Action   = ["s3:PutObject"]
          Resource = ["${local.prefix[each.key]}/budget.json", "${local.prefix[each.key]}/halt.json"]
        },
        merge(
          {
            Sid      = "ReadAccounts"
            Effect   = "Allow"
            Action   = ["dynamodb:GetItem"]
            Resource = [var.table_arn]
          },
          local.own_records[each.key],
        ),
      ],
      [for statement in local.not_theirs : statement if each.key == "*"],
      local.key_statements,
    )
  })
}

# Whoever looks after the stack: sees, follows and stops runs of every project, sets budgets and turns switches, and starts none.
resource "aws_iam_policy" "operator" {
  name        = "${var.iam_prefix}-operator"
  description = "Floodgate ${var.name}: read, follow and stop runs of all projects, and set their budgets"
  tags        = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "FollowRuns"
          Effect   = "Allow"
          Action   = ["states:DescribeExecution", "states:StopExecution"]
          Resource = flatten(values(var.execution_arns))
        },
        {
          Sid      = "ReadResults"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${var.bucket_arn}/projects/*", "${var.bucket_arn}/notifications/*", local.switch]
        },
        {
          Sid       = "ListResults"
          Effect    = "Allow"
          Action    = ["s3:ListBucket"]
          Resource  = [var.bucket_arn]
          Condition = { StringLike = { "s3:prefix" = ["projects/*", "notifications/*", "config/halt.json"] } }
        },
        {
          Sid    = "OrderStopsSetBudgetsAndAskForNotifications"
          Effect = "Allow"
          Action = ["s3:PutObject"]
          Resource = [
            "${var.bucket_arn}/projects/*/executions/*/control/stop.json",
            "${var.bucket_arn}/projects/*/budget.json",
            "${var.bucket_arn}/projects/*/halt.json",
            "${var.bucket_arn}/notifications/*/asked/*",
            local.switch,
          ]
        },
        {
          Sid      = "ReadRecords"
          Effect   = "Allow"
          Action   = ["dynamodb:GetItem"]
          Resource = [var.table_arn]
        },
        {
          Sid      = "ListRecords"
          Effect   = "Allow"
          Action   = ["dynamodb:Query"]
          Resource = [var.table_arn, "${var.table_arn}/index/GSI1"]
        },
        local.list_all_runs,
      ],
      local.key_statements,
    )
  })
}
