output "admin_policy_arns" {
  description = "ARN of the policy for the admins of each project."
  value       = { for project, policy in aws_iam_policy.admin : project => policy.arn }
}

output "operator_policy_arn" {
  description = "ARN of the policy for all projects."
  value       = aws_iam_policy.operator.arn
}

output "policy_arns" {
  description = "ARN of the policy of each project."
  value       = { for project, policy in aws_iam_policy.runner : project => policy.arn }
}
