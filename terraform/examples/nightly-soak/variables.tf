variable "region" {
  description = "Home region."
  type        = string
  default     = "eu-west-1"
}

variable "functions_package" {
  description = "Path of the zip created by `cargo xtask package`."
  type        = string
  default     = "../../../target/package/functions-arm64.zip"
}

variable "alarm_emails" {
  description = "E-mail addresses to notify when a soak test doesn't pass."
  type        = set(string)
  default     = ["performance@example.com"]
}
