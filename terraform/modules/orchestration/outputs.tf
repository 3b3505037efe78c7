output "state_machine_arns" {
  description = "ARN of each state machine, by its key."
  value       = { for key, machine in aws_sfn_state_machine.this : key => machine.arn }
}

output "rule_arn" {
  description = "ARN of the EventBridge rule that calls reap."
  value       = aws_cloudwatch_event_rule.ended.arn
}

output "log_group" {
  description = "Name of the state machine's log group."
  value       = aws_cloudwatch_log_group.state_machine.name
}
