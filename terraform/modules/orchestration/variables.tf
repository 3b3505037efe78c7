variable "name" {
  description = "Name of the stack."
  type        = string
}

variable "iam_prefix" {
  description = "What names of roles and policies start with: they are one namespace for all regions of the account."
  type        = string
}

variable "machines" {
  description = "State machines by a key: name, the project whose runs it starts (\"*\": all that have none of their own), and whether only schedules start it."
  type = map(object({
    name      = string
    project   = string
    scheduled = bool
  }))
}

variable "state_machine_arns" {
  description = "ARNs that the state machines will have: their role and reap name them before they exist."
  type        = list(string)
}

variable "log_execution_data" {
  description = "Log inputs and outputs of states, too. They have values of environments in them."
  type        = bool
  default     = false
}

variable "function_arns" {
  description = "ARN of each function: prepare, launch, watch, merge, finish, reap."
  type        = map(string)
}

variable "bucket" {
  description = "Name of the bucket, which messages refer to."
  type        = string
}

variable "merge_concurrency" {
  description = "Merge functions at work at a time in a run whose shards are merged in parts. All of them count against the account's concurrency of functions."
  type        = number
  default     = 40

  validation {
    condition     = var.merge_concurrency >= 1 && var.merge_concurrency <= 1000 && floor(var.merge_concurrency) == var.merge_concurrency
    error_message = "merge_concurrency is ${var.merge_concurrency}: take a whole number from 1 to 1000, and less than the account's concurrency of functions."
  }
}

variable "dead_letter_queue_arn" {
  description = "ARN of the queue of events that could not be delivered."
  type        = string
}

variable "dead_letter_queue_url" {
  description = "URL of the queue of events that could not be delivered."
  type        = string
}

variable "account_id" {
  description = "Number of the account."
  type        = string
}

variable "log_level" {
  description = "What of the state machine's history goes to CloudWatch Logs: ALL, ERROR, FATAL or OFF."
  type        = string
  default     = "ERROR"

  validation {
    condition     = contains(["ALL", "ERROR", "FATAL", "OFF"], var.log_level)
    error_message = "log_level is \"${var.log_level}\": take ALL, ERROR, FATAL or OFF."
  }
}

variable "log_retention_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 30
}

variable "tracing" {
  description = "Trace executions with X-Ray."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything that can have any."
  type        = map(string)
  default     = {}
}
