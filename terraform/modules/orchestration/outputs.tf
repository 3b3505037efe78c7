output "state_machine_arn" {
  description = "ARN of the state machine."
  value       = aws_sfn_state_machine.this.arn
}

output "rule_arn" {
  description = "ARN of the EventBridge rule that calls reap."
  value       = aws_cloudwatch_event_rule.ended.arn
}

output "log_group" {
  description = "Name of the state machine's log group."
  value       = aws_cloudwatch_log_group.state_machine.name
}
