output "url" {
  description = "URL of the API; signed requests go to {url}/iam."
  value       = aws_apigatewayv2_api.this.api_endpoint
}

output "role_name" {
  description = "Name of the function's role, to attach your own policies."
  value       = aws_iam_role.api.name
}
