variable "name" {
  description = "Name of the stack and of the state machine."
  type        = string
}

variable "state_machine_arn" {
  description = "ARN that the state machine will have: its role and reap name it before it exists."
  type        = string
}

variable "function_arns" {
  description = "ARN of each function: prepare, launch, watch, merge, finish, reap."
  type        = map(string)
}

variable "bucket" {
  description = "Name of the bucket, which messages refer to."
  type        = string
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
