output "arns" {
  description = "ARN of each function: prepare, launch, watch, merge, finish, reap, export, and notify if it is deployed."
  value       = { for function, lambda in aws_lambda_function.this : function => lambda.arn }
}

output "names" {
  description = "Name of each function."
  value       = { for function, lambda in aws_lambda_function.this : function => lambda.function_name }
}

output "role_names" {
  description = "Name of each function's role, to attach your own policies."
  value       = { for function, role in aws_iam_role.this : function => role.name }
}

output "dead_letter_queue_arn" {
  description = "ARN of the queue for undeliverable events."
  value       = aws_sqs_queue.dead_letters.arn
}

output "dead_letter_queue_name" {
  description = "Name of the queue for undeliverable events."
  value       = aws_sqs_queue.dead_letters.name
}

output "dead_letter_queue_url" {
  description = "URL of the queue for undeliverable events."
  value       = aws_sqs_queue.dead_letters.url
}
