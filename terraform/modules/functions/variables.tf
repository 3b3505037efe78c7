variable "name" {
  description = "Name of the stack; functions are named {name}-{function}."
  type        = string
}

variable "iam_prefix" {
  description = "Prefix of the names of roles and policies, which share one namespace for all regions of the account."
  type        = string
}

variable "package" {
  description = "Path of the zip created by `cargo xtask package`, which contains the program bootstrap."
  type        = string

  validation {
    condition     = fileexists(var.package)
    error_message = "package is \"${var.package}\", where there is no file: run `cargo xtask package`, and give the path of the zip that it prints."
  }
}

variable "architecture" {
  description = "Architecture of the package: arm64 or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is \"${var.architecture}\": take arm64 or x86_64."
  }
}

variable "overrides" {
  description = "Memory (MB) and timeout (s) by function; default: the module's."
  type = map(object({
    memory_mb = optional(number)
    timeout_s = optional(number)
  }))
  default = {}

  validation {
    condition     = length(setsubtract(keys(var.overrides), ["prepare", "launch", "watch", "merge", "finish", "reap", "notify", "export"])) == 0
    error_message = "overrides names ${join(", ", setsubtract(keys(var.overrides), ["prepare", "launch", "watch", "merge", "finish", "reap", "notify", "export"]))}: the functions are prepare, launch, watch, merge, finish, reap, notify and export."
  }

  validation {
    condition     = alltrue([for override in values(var.overrides) : coalesce(override.memory_mb, 128) >= 128 && coalesce(override.memory_mb, 128) <= 10240 && coalesce(override.timeout_s, 1) >= 1 && coalesce(override.timeout_s, 1) <= 900])
    error_message = "overrides is ${jsonencode(var.overrides)}: memory_mb goes from 128 to 10240, timeout_s from 1 to 900."
  }
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

variable "state_machine_base" {
  description = "Prefix of the ARNs of all state machines of the stack, from which reap derives the project of an execution."
  type        = string
}

variable "state_machine_arns" {
  description = "ARNs of the state machines; reap starts them again to close a run that was stopped from outside."
  type        = list(string)
}

variable "execution_arns" {
  description = "ARNs of their executions; reap reads their input."
  type        = list(string)
}

variable "task_role_arns" {
  description = "ARNs of the roles that launch passes to tasks: the task role and the execution role."
  type        = list(string)
}

variable "secret_arns" {
  description = "Secrets that definitions can refer to; prepare checks that they exist; notify and export read those that they need."
  type        = list(string)
  default     = []
}

variable "secret_kms_key_arns" {
  description = "ARNs of the customer managed keys that encrypt those secrets."
  type        = list(string)
  default     = []
}

variable "notifications" {
  description = "Deploy notify, and let the others call it."
  type        = bool
  default     = false
}

variable "console_url" {
  description = "Address of the console that notifications link to; optional."
  type        = string
  default     = null
}

variable "topic_arns" {
  description = "ARNs of the SNS topics that notify can publish to."
  type        = list(string)
  default     = []
}

variable "event_bus_arns" {
  description = "ARNs of the event buses that notify can put events on."
  type        = list(string)
  default     = []
}

variable "ses_identity_arns" {
  description = "ARNs of the SES identities that notify can send mail as."
  type        = list(string)
  default     = []
}

variable "export_secret_arns" {
  description = "Secrets that hold credentials of the stack's own exports."
  type        = list(string)
  default     = []
}

variable "cloudwatch_namespaces" {
  description = "Namespaces of CloudWatch that results can be exported to; none: no permission."
  type        = list(string)
  default     = []
}

variable "export_network" {
  description = "Subnets and security groups of the export function; null: not in a VPC."
  type = object({
    subnets         = list(string)
    security_groups = list(string)
  })
  default = null
}

variable "region" {
  description = "Region of the functions and of the bucket."
  type        = string
}

variable "account_id" {
  description = "ID of the AWS account."
  type        = string
}

variable "partition" {
  description = "Partition of ARNs: aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"
}

variable "log_level" {
  description = "Log level of the functions: error, warn, info or debug."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["error", "warn", "info", "debug"], var.log_level)
    error_message = "log_level is \"${var.log_level}\": take error, warn, info or debug."
  }
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
  description = "URL of an emulator that the functions call instead of AWS."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for all resources that support them."
  type        = map(string)
  default     = {}
}
