output "schedule_arns" {
  description = "ARN of each schedule."
  value       = { for name, schedule in aws_scheduler_schedule.this : name => schedule.arn }
}

output "role_arn" {
  description = "ARN of the role that starts the runs."
  value       = aws_iam_role.this.arn
}
