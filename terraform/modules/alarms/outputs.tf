output "alarm_arns" {
  description = "ARN of each alarm."
  value       = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.arn }
}

output "topic_arns" {
  description = "Topics that are notified of alarms."
  value       = local.actions
}
