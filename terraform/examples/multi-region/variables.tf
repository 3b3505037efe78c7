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

