variable "name" {
  description = "Name of the stack; the alarms are {name}-{alarm}."
  type        = string
}

variable "state_machine_arns" {
  description = "ARN of each state machine, by its key."
  type        = map(string)
}

variable "reap_function_name" {
  description = "Name of the function reap."
  type        = string
}

variable "dead_letter_queue_name" {
  description = "Name of the queue of events that could not be delivered."
  type        = string
}

variable "failed_executions" {
  description = "Runs that end without success within five minutes, from which on the alarm goes off."
  type        = number
  default     = 1

  validation {
    condition     = var.failed_executions >= 1
    error_message = "failed_executions is ${var.failed_executions}: take a number from 1."
  }
}

variable "daily_spend_usd" {
  description = "Cost of all runs of a day (UTC), in USD, from which on the alarm goes off; null: no such alarm."
  type        = number
  default     = null

  validation {
    condition     = var.daily_spend_usd == null ? true : var.daily_spend_usd > 0
    error_message = "daily_spend_usd is ${coalesce(var.daily_spend_usd, 0)}: take more than 0, or null for no alarm."
  }
}

variable "topic_arn" {
  description = "SNS topic that is told of alarms; null: none."
  type        = string
  default     = null
}

variable "emails" {
  description = "Addresses that are told of alarms through a topic made here; each has to confirm a message first."
  type        = set(string)
  default     = []
}

variable "account_id" {
  description = "Number of the account."
  type        = string
}

variable "tags" {
  description = "Tags of everything that can have any."
  type        = map(string)
  default     = {}
}
