variable "name" {
  description = "Name of the stack; alarms are named {name}-{alarm}."
  type        = string
}

variable "state_machine_arns" {
  description = "ARN of each state machine, by its key."
  type        = map(string)
}

variable "reap_function_name" {
  description = "Name of the reap function."
  type        = string
}

variable "dead_letter_queue_name" {
  description = "Name of the queue for undeliverable events."
  type        = string
}

variable "failed_executions" {
  description = "Number of unsuccessful runs within five minutes that raises the alarm."
  type        = number
  default     = 1

  validation {
    condition     = var.failed_executions >= 1
    error_message = "failed_executions is ${var.failed_executions}: take a number from 1."
  }
}

variable "daily_spend_usd" {
  description = "Cost of all runs of a day (UTC) in USD that raises the alarm; null: no alarm."
  type        = number
  default     = null

  validation {
    condition     = var.daily_spend_usd == null ? true : var.daily_spend_usd > 0
    error_message = "daily_spend_usd is ${coalesce(var.daily_spend_usd, 0)}: take more than 0, or null for no alarm."
  }
}

variable "topic_arn" {
  description = "ARN of an SNS topic to notify of alarms; null: none."
  type        = string
  default     = null
}

variable "emails" {
  description = "E-mail addresses to notify of alarms, through a topic created here; each address must confirm its subscription."
  type        = set(string)
  default     = []
}

variable "account_id" {
  description = "ID of the AWS account."
  type        = string
}

variable "tags" {
  description = "Tags for all resources that support them."
  type        = map(string)
  default     = {}
}
