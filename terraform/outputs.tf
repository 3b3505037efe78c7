output "stack" {
  description = "Name of the stack."
  value       = var.name
}

output "state_machine_arn" {
  description = "ARN of the state machine for projects that aren't named; null without the project \"*\"."
  value       = try(module.orchestration.state_machine_arns["*"], null)
}

output "state_machine_arns" {
  description = "ARN by project of the state machine for `aws stepfunctions start-execution` and `floodgate run --cloud`."
  value       = { for project in keys(var.projects) : project => module.orchestration.state_machine_arns[project] }
}

output "bucket" {
  description = "Bucket of definitions and results."
  value       = module.storage.bucket
}

output "table" {
  description = "Table of records."
  value       = module.storage.table
}

output "region" {
  description = "Home region of the bucket, the table, the functions and the state machine."
  value       = local.home
}

output "repository_urls" {
  description = "Repository by engine; push the images before the first run."
  value       = module.generator.repository_urls
}

output "images" {
  description = "Image by engine, for engines with a repository in the stack, as tasks pull it; push it before the first run."
  value       = module.generator.images
}

output "version" {
  description = "Version of the module; use the same version of functions, images and the command line."
  value       = local.version
}

output "admin_policy_arns" {
  description = "ARN by project of the policy for setting its budget and halting it."
  value       = module.access.admin_policy_arns
}

output "runner_policy_arns" {
  description = "ARN by project of the policy for starting runs; attach it to the pipeline's role."
  value       = module.access.policy_arns
}

output "operator_policy_arn" {
  description = "ARN of the policy for operators: reads, follows and stops runs of all projects, and starts none."
  value       = module.access.operator_policy_arn
}

output "function_names" {
  description = "Name of each function."
  value       = module.functions.names
}

output "role_names" {
  description = "Names of the functions' and generators' roles, to attach your own policies."
  value       = merge(module.functions.role_names, { for project, name in module.generator.task_role_names : project == "*" ? "generator" : "generator-${project}" => name })
}

output "schedule_arns" {
  description = "ARN of each schedule."
  value       = length(module.schedules) == 0 ? {} : module.schedules[0].schedule_arns
}

output "queries" {
  description = "Database, workgroup and prepared statements for Athena; null without `queries`."
  value       = one([for made in module.queries : { database = made.database, workgroup = made.workgroup, statements = made.statements }])
}

output "api_url" {
  description = "URL of the API; signed requests go to {url}/iam. Null without `api`."
  value       = one([for made in module.api : made.url])
}

output "nat_addresses" {
  description = "Public source addresses of private tasks by region, for a target's allow list."
  value       = { for region, made in module.regional : region => made.nat_addresses }
}

output "security_group_ids" {
  description = "Security groups by region and project in VPCs created here, for use in a target's rules."
  value       = { for region, made in module.regional : region => made.security_group_ids }
}

output "dead_letter_queue_url" {
  description = "URL of the queue for undeliverable schedules and calls of reap."
  value       = module.functions.dead_letter_queue_url
}
