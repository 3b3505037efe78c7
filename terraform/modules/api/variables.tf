variable "name" {
  description = "Name of the stack; the API is named {name}-api."
  type        = string
}

variable "iam_prefix" {
  description = "Prefix of the names of roles and policies, which share one namespace for all regions of the account."
  type        = string
}

variable "package" {
  description = "Path of the zip created by `cargo xtask package`, which contains the API's program as bootstrap."
  type        = string

  validation {
    condition     = fileexists(var.package)
    error_message = "api.package is \"${var.package}\", where there is no file: run `cargo xtask package`, and give the path of the zip that it prints."
  }
}

variable "architecture" {
  description = "Architecture of the package: arm64 or x86_64."
  type        = string
}

variable "memory_mb" {
  description = "Memory of the function, in MB; its share of a processor grows with it."
  type        = number
  default     = 1024
}

variable "issuers" {
  description = "Identity providers, as docs/api.md describes them."
  type        = any
  default     = []
}

variable "iam" {
  description = "Roles of callers who sign their requests."
  type = list(object({
    principal = string
    project   = string
    role      = string
  }))
  default = []
}

variable "requests_per_second" {
  description = "Requests per second of each principal; ten times as many of all together."
  type        = number
  default     = 20
}

variable "console_origins" {
  description = "Origins of pages that may read the API."
  type        = list(string)
  default     = []
}

variable "state_machine_arns" {
  description = "ARN by project of the state machine that starts its runs."
  type        = map(string)
}

variable "bucket" {
  description = "Name of the bucket."
  type        = string
}

variable "bucket_arn" {
  description = "ARN of the bucket."
  type        = string
}

variable "table" {
  description = "Name of the table."
  type        = string
}

variable "table_arn" {
  description = "ARN of the table."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key of bucket and table; optional."
  type        = string
  default     = null
}

variable "region" {
  description = "Region of the function and of the bucket."
  type        = string
}

variable "account_id" {
  description = "ID of the AWS account."
  type        = string
}

variable "log_level" {
  description = "Log level of the function: error, warn, info or debug."
  type        = string
  default     = "info"
}

variable "log_retention_days" {
  description = "Retention of logs, in days."
  type        = number
  default     = 30
}

variable "tracing" {
  description = "Trace calls with X-Ray."
  type        = bool
  default     = false
}

variable "emulator_endpoint" {
  description = "URL of an emulator that the function calls instead of AWS."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for all resources that support them."
  type        = map(string)
  default     = {}
}
