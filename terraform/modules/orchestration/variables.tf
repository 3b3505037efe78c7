variable "name" {
  description = "Name of the stack."
  type        = string
}

variable "iam_prefix" {
  description = "Prefix of the names of roles and policies, which share one namespace for all regions of the account."
  type        = string
}

variable "machines" {
  description = "State machines by a key: name, the project whose runs it starts (\"*\": all projects without their own), and whether only schedules start it."
  type = map(object({
    name      = string
    project   = string
    scheduled = bool
  }))
}

variable "state_machine_arns" {
  description = "ARNs that the state machines will have; their role and reap refer to them before they exist."
  type        = list(string)
}

variable "log_execution_data" {
  description = "Also log inputs and outputs of states, which contain values of environments."
  type        = bool
  default     = false
}

variable "function_arns" {
  description = "ARN of each function: prepare, launch, watch, merge, finish, reap."
  type        = map(string)
}

variable "bucket" {
  description = "Name of the bucket, for messages."
  type        = string
}

variable "merge_concurrency" {
  description = "Maximum number of concurrent merge functions in a run whose shards are merged in parts. They count against the account's Lambda concurrency."
  type        = number
  default     = 40

  validation {
    condition     = var.merge_concurrency >= 1 && var.merge_concurrency <= 1000 && floor(var.merge_concurrency) == var.merge_concurrency
    error_message = "merge_concurrency is ${var.merge_concurrency}: take a whole number from 1 to 1000, and less than the account's concurrency of functions."
  }
}

variable "dead_letter_queue_arn" {
  description = "ARN of the queue for undeliverable events."
  type        = string
}

variable "dead_letter_queue_url" {
  description = "URL of the queue for undeliverable events."
  type        = string
}

variable "account_id" {
  description = "ID of the AWS account."
  type        = string
}

variable "log_level" {
  description = "Log level of the state machine in CloudWatch Logs: ALL, ERROR, FATAL or OFF."
  type        = string
  default     = "ERROR"

  validation {
    condition     = contains(["ALL", "ERROR", "FATAL", "OFF"], var.log_level)
    error_message = "log_level is \"${var.log_level}\": take ALL, ERROR, FATAL or OFF."
  }
}

variable "log_retention_days" {
  description = "Retention of logs, in days."
  type        = number
  default     = 30
}

variable "tracing" {
  description = "Trace executions with X-Ray."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags for all resources that support them."
  type        = map(string)
  default     = {}
}
