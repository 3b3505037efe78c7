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

variable "image_tag" {
  description = "Tag of the generators' images."
  type        = string
  default     = "0.1.0"
}

variable "alarm_emails" {
  description = "E-mail addresses to notify of alarms."
  type        = set(string)
  default     = ["performance@example.com"]
}
