output "stack" {
  description = "Name of the stack."
  value       = var.name
}

output "state_machine_arn" {
  description = "What starts runs of projects that are not named; null without the project \"*\"."
  value       = try(module.orchestration.state_machine_arns["*"], null)
}

output "state_machine_arns" {
  description = "What `aws stepfunctions start-execution` and `floodgate run --cloud` start, by project."
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
  description = "Home region: of the bucket, the table, the functions and the state machine."
  value       = local.home
}

output "repository_urls" {
  description = "Where to push each engine's image before the first run."
  value       = module.generator.repository_urls
}

output "images" {
  description = "Image of each engine in a repository of the stack's, as tasks pull it: what has to be there before the first run."
  value       = module.generator.images
}

output "version" {
  description = "Version of the module, which functions, images and the command line should have."
  value       = local.version
}

output "runner_policy_arns" {
  description = "Policy by project for whoever starts runs: attach it to the pipeline's role."
  value       = module.access.policy_arns
}

output "operator_policy_arn" {
  description = "Policy for whoever looks after all projects: reads, follows and stops everything, and starts nothing."
  value       = module.access.operator_policy_arn
}

output "function_names" {
  description = "Name of each function."
  value       = module.functions.names
}

output "role_names" {
  description = "Name of each function's role, and of the generators', for policies of your own."
  value       = merge(module.functions.role_names, { for project, name in module.generator.task_role_names : project == "*" ? "generator" : "generator-${project}" => name })
}

output "schedule_arns" {
  description = "ARN of each schedule."
  value       = length(module.schedules) == 0 ? {} : module.schedules[0].schedule_arns
}

output "nat_addresses" {
  description = "Public addresses from which private tasks are seen, by region, for a target's allow list."
  value       = { for region, made in module.regional : region => made.nat_addresses }
}

output "security_group_ids" {
  description = "Security groups by region and project in VPCs made here, for a target's rules."
  value       = { for region, made in module.regional : region => made.security_group_ids }
}

output "dead_letter_queue_url" {
  description = "Queue of schedules and calls of reap that could not be delivered."
  value       = module.functions.dead_letter_queue_url
}
