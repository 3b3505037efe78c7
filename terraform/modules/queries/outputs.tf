output "database" {
  description = "Database of the table `buckets`."
  value       = aws_glue_catalog_database.this.name
}

output "workgroup" {
  description = "Workgroup with the prepared statements."
  value       = aws_athena_workgroup.this.name
}

output "statements" {
  description = "Names of the prepared statements."
  value       = sort(keys(aws_athena_prepared_statement.this))
}
