output "cluster_arn" {
  description = "ARN of the ECS cluster."
  value       = aws_ecs_cluster.this.arn

  # A task that asks for a capacity provider which the cluster does not have yet is refused.
  depends_on = [aws_ecs_cluster_capacity_providers.this]
}

output "log_group" {
  description = "Name of the generators' log group."
  value       = aws_cloudwatch_log_group.generator.name
}

output "log_group_arn" {
  description = "ARN of the generators' log group."
  value       = aws_cloudwatch_log_group.generator.arn
}

output "networks" {
  description = "Networks by project, in the format of config/placement.json."
  value       = var.emulated ? {} : var.network == null ? var.existing_networks : module.network[0].networks
}

output "nat_addresses" {
  description = "Public source addresses of tasks behind NAT gateways created here."
  value       = var.network == null || var.emulated ? [] : module.network[0].nat_addresses
}

output "security_group_ids" {
  description = "Security group of each project and of default, in a VPC created here."
  value       = var.network == null || var.emulated ? {} : module.network[0].security_group_ids
}
