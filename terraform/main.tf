# One stack: bucket and table, seven functions and one that notifies, a state machine, generators in one or more regions. Nothing of it
# costs anything while no run is on, but for what is stored, and if they are asked for NAT gateways, and notifications a few cents.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # Of this module and of what it deploys: functions and generators of another version do not fit.
  version = "0.1.0"

  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  home       = data.aws_region.current.region
  emulated   = var.emulator_endpoint != null

  tags = merge({ "floodgate:stack" = var.name }, var.tags)

  # One state machine a project, with the project as a constant in it; that of "*" is for those that are not named. A project with
  # schedules has a second one, which only Scheduler may start. Neither a stack's name nor a project's has a low line.
  machines = merge(
    { for project in keys(var.projects) : project => {
      name      = project == "*" ? var.name : "${var.name}_${project}"
      project   = project
      scheduled = false
    } },
    { for project in distinct([for schedule in values(var.schedules) : contains(keys(var.projects), schedule.project) ? schedule.project : "*"]) : "${project}/scheduled" => {
      name      = "${var.name}_${project == "*" ? "" : project}_scheduled"
      project   = project
      scheduled = true
    } },
  )

  # The state machines call reap, and reap starts the state machines: one of them has to know the other's ARN beforehand.
  state_machine_base = "arn:${local.partition}:states:${local.home}:${local.account_id}:stateMachine:${var.name}"
  state_machine_arns = { for key, machine in local.machines : key => replace(local.state_machine_base, "/[^:]*$/", machine.name) }
  execution_arns     = [for arn in values(local.state_machine_arns) : "${replace(arn, ":stateMachine:", ":execution:")}:*"]

  # Secrets of all projects: prepare looks whether they are there.
  secret_arns = distinct(concat(var.secret_arns, flatten([for project in values(var.projects) : project.secret_arns])))

  # IAM knows no regions: without one in its names, a second stack of this name elsewhere would find them taken.
  iam_prefix = "${var.name}-${local.home}"

  # Credentials of the stack's own exports.
  export_secret_arns = distinct(flatten([for export in var.exports : [for arn in [export.password_secret_arn, export.token_secret_arn] : arn if arn != null]]))

  regions  = merge(tomap({ (local.home) = var.network }), var.regions)
  projects = setsubtract(keys(var.projects), ["*"])
}

module "storage" {
  source = "./modules/storage"

  bucket_name         = coalesce(var.bucket_name, "${var.name}-${local.account_id}-${local.home}")
  table_name          = var.name
  kms_key_arn         = var.kms_key_arn
  versioning          = var.versioning
  raw_data_days       = var.raw_data_days
  results_days        = var.results_days
  force_destroy       = var.force_destroy
  deletion_protection = !var.force_destroy
  tags                = local.tags
}

module "regional" {
  source   = "./modules/regional"
  for_each = local.regions

  name               = var.name
  region             = each.key
  network            = length(each.value.networks) == 0 ? each.value.vpc : null
  existing_networks  = each.value.networks
  projects           = local.projects
  container_insights = var.container_insights
  log_retention_days = var.log_retention_days
  emulated           = local.emulated
  tags               = local.tags
}

module "generator" {
  source = "./modules/generator"

  name                = var.name
  iam_prefix          = local.iam_prefix
  engines             = var.engines
  log_groups          = { for region, made in module.regional : region => { name = made.log_group, arn = made.log_group_arn } }
  bucket_arn          = module.storage.bucket_arn
  kms_key_arn         = var.kms_key_arn
  projects            = { for project, limits in var.projects : project => { secret_arns = distinct(concat(var.secret_arns, limits.secret_arns)) } }
  secret_kms_key_arns = var.secret_kms_key_arns
  account_id          = local.account_id
  partition           = local.partition
  force_destroy       = var.force_destroy
  emulator_endpoint   = var.emulator_endpoint
  tags                = local.tags
}

module "functions" {
  source = "./modules/functions"

  name                = var.name
  iam_prefix          = local.iam_prefix
  package             = var.functions_package
  emulator_endpoint   = var.emulator_endpoint
  architecture        = var.functions_architecture
  overrides           = var.functions
  bucket              = module.storage.bucket
  bucket_arn          = module.storage.bucket_arn
  table               = module.storage.table
  table_arn           = module.storage.table_arn
  kms_key_arn         = var.kms_key_arn
  state_machine_base  = local.state_machine_base
  state_machine_arns  = values(local.state_machine_arns)
  execution_arns      = local.execution_arns
  task_role_arns      = concat(values(module.generator.task_role_arns), [module.generator.execution_role_arn])
  secret_arns         = local.secret_arns
  secret_kms_key_arns = var.secret_kms_key_arns
  notifications       = var.notifications != null
  console_url         = try(var.notifications.console_url, null)
  topic_arns          = try(var.notifications.topic_arns, [])
  event_bus_arns      = try(var.notifications.event_bus_arns, [])
  ses_identity_arns   = try(var.notifications.ses_identity_arns, [])
  export_secret_arns  = local.export_secret_arns
  export_network      = var.export_network

  cloudwatch_namespaces = var.cloudwatch_namespaces

  region             = local.home
  account_id         = local.account_id
  partition          = local.partition
  log_level          = var.log_level
  log_retention_days = var.log_retention_days
  tracing            = var.tracing
  tags               = local.tags
}

module "orchestration" {
  source = "./modules/orchestration"

  name                  = var.name
  iam_prefix            = local.iam_prefix
  machines              = local.machines
  state_machine_arns    = values(local.state_machine_arns)
  function_arns         = module.functions.arns
  bucket                = module.storage.bucket
  merge_concurrency     = var.merge_concurrency
  dead_letter_queue_arn = module.functions.dead_letter_queue_arn
  dead_letter_queue_url = module.functions.dead_letter_queue_url
  account_id            = local.account_id
  log_retention_days    = var.log_retention_days
  tracing               = var.tracing
  tags                  = local.tags
}

module "schedules" {
  source = "./modules/schedules"
  count  = length(var.schedules) == 0 ? 0 : 1

  name                  = var.name
  iam_prefix            = local.iam_prefix
  schedules             = var.schedules
  state_machine_arns    = { for key, arn in module.orchestration.state_machine_arns : trimsuffix(key, "/scheduled") => arn if endswith(key, "/scheduled") }
  dead_letter_queue_arn = module.functions.dead_letter_queue_arn
  account_id            = local.account_id
  tags                  = local.tags
}

module "alarms" {
  source = "./modules/alarms"
  count  = var.alarms == null ? 0 : 1

  name                   = var.name
  state_machine_arns     = module.orchestration.state_machine_arns
  reap_function_name     = module.functions.names["reap"]
  dead_letter_queue_name = module.functions.dead_letter_queue_name
  failed_executions      = var.alarms.failed_executions
  daily_spend_usd        = var.alarms.daily_spend_usd
  topic_arn              = var.alarms.topic_arn
  emails                 = var.alarms.emails
  account_id             = local.account_id
  tags                   = local.tags
}

module "queries" {
  source = "./modules/queries"
  count  = var.queries == null ? 0 : 1

  name         = var.name
  bucket       = module.storage.bucket
  kms_key_arn  = var.kms_key_arn
  first_day    = var.queries.first_day
  max_query_gb = var.queries.max_query_gb
  tags         = local.tags
}

module "api" {
  source = "./modules/api"
  count  = var.api == null ? 0 : 1

  name                = var.name
  iam_prefix          = local.iam_prefix
  package             = var.api.package
  architecture        = var.functions_architecture
  issuers             = var.api.issuers
  iam                 = var.api.iam
  requests_per_second = var.api.requests_per_second
  console_origins     = var.api.console_origins
  state_machine_arns  = { for project in keys(var.projects) : project => module.orchestration.state_machine_arns[project] }
  bucket              = module.storage.bucket
  bucket_arn          = module.storage.bucket_arn
  table               = module.storage.table
  table_arn           = module.storage.table_arn
  kms_key_arn         = var.kms_key_arn
  region              = local.home
  account_id          = local.account_id
  log_level           = var.log_level
  log_retention_days  = var.log_retention_days
  tracing             = var.tracing
  emulator_endpoint   = var.emulator_endpoint
  tags                = local.tags
}

module "access" {
  source = "./modules/access"

  name               = var.name
  iam_prefix         = local.iam_prefix
  projects           = keys(var.projects)
  state_machine_arns = { for project in keys(var.projects) : project => module.orchestration.state_machine_arns[project] }
  execution_arns     = { for project in keys(var.projects) : project => [for key, arn in module.orchestration.state_machine_arns : "${replace(arn, ":stateMachine:", ":execution:")}:*" if trimsuffix(key, "/scheduled") == project] }
  bucket_arn         = module.storage.bucket_arn
  table_arn          = module.storage.table_arn
  kms_key_arn        = var.kms_key_arn
  tags               = local.tags
}
