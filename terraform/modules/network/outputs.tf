output "vpc_id" {
  description = "ID of the VPC."
  value       = aws_vpc.this.id
}

output "nat_addresses" {
  description = "Public source addresses of private tasks, for a target's allow list; empty if tasks have their own public addresses."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}

output "security_group_ids" {
  description = "Security group of each project and of default, for use in a target's rules."
  value       = { for project, group in aws_security_group.project : project => group.id }
}

output "networks" {
  description = "Subnets, security groups and public address of tasks by project, in the format of config/placement.json."
  value = {
    for project, group in aws_security_group.project : project => {
      subnets          = local.private ? [for subnet in aws_subnet.private : subnet.id] : [for subnet in aws_subnet.public : subnet.id]
      security_groups  = [group.id]
      assign_public_ip = !local.private
    }
  }

  # No task before it can reach S3 and ECR.
  depends_on = [aws_route.internet, aws_route.nat, aws_vpc_endpoint.gateway, aws_vpc_security_group_egress_rule.project]
}
