output "stack" {
  description = "Name of the stack."
  value       = module.floodgate.stack
}

output "region" {
  description = "Home region."
  value       = module.floodgate.region
}

output "state_machine_arns" {
  description = "ARN by project of the state machine for `aws stepfunctions start-execution` and `floodgate run --cloud`."
  value       = module.floodgate.state_machine_arns
}

output "bucket" {
  description = "Bucket of definitions and results."
  value       = module.floodgate.bucket
}

output "table" {
  description = "Table of records."
  value       = module.floodgate.table
}

output "repository_urls" {
  description = "Repository by engine; push the images before the first run."
  value       = module.floodgate.repository_urls
}
