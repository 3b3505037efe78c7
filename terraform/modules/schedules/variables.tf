variable "name" {
  description = "Name of the stack and of the schedule group."
  type        = string
}

variable "iam_prefix" {
  description = "Prefix of the names of roles and policies, which share one namespace for all regions of the account."
  type        = string
}

variable "schedules" {
  description = "Scheduled runs by name: cron(…), rate(…) or at(…), the time zone, the run's input, and what overlaps and windows leave out."
  type = map(object({
    expression       = string
    timezone         = optional(string, "UTC")
    project          = string
    test             = string
    version          = optional(string)
    parameters       = optional(map(string))
    env              = optional(map(string))
    description      = optional(string)
    flexible_minutes = optional(number, 0)
    enabled          = optional(bool, true)
    overlap          = optional(string, "skip")
    blackouts        = optional(list(string), [])
  }))

  validation {
    condition     = alltrue([for name in keys(var.schedules) : can(regex("^[0-9A-Za-z_.-]{1,64}$", name))])
    error_message = "schedules has the name ${join(", ", [for name in keys(var.schedules) : jsonencode(name) if !can(regex("^[0-9A-Za-z_.-]{1,64}$", name))])}: take 1 to 64 letters, digits, hyphens, underscores and dots."
  }

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : can(regex("^(cron|rate|at)\\(.+\\)$", schedule.expression))])
    error_message = "schedules has the expression ${join(", ", [for schedule in values(var.schedules) : jsonencode(schedule.expression) if !can(regex("^(cron|rate|at)\\(.+\\)$", schedule.expression))])}: take cron(minute hour day month weekday year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss)."
  }

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : contains(["skip", "queue", "replace"], schedule.overlap)])
    error_message = "schedules has overlap ${join(", ", [for schedule in values(var.schedules) : jsonencode(schedule.overlap)])}: take skip (leave a start out while the last run goes on), queue (wait for its end) or replace (stop it)."
  }

  validation {
    condition     = alltrue([for window in flatten([for schedule in values(var.schedules) : schedule.blackouts]) : can(regex("^(daily|(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?(,(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?)*) +([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$|^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$", window))])
    error_message = "schedules has the blackouts ${jsonencode(flatten([for schedule in values(var.schedules) : schedule.blackouts]))}: take windows such as \"mon-fri 09:00-18:00\", \"daily 22:00-02:00\" or \"2026-12-20T00:00:00/2027-01-04T00:00:00\", in the schedule's time zone."
  }

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : schedule.flexible_minutes >= 0 && schedule.flexible_minutes <= 1440])
    error_message = "schedules has flexible_minutes of ${join(", ", [for schedule in values(var.schedules) : tostring(schedule.flexible_minutes)])}: take 0 (on the minute) to 1440."
  }
}

variable "state_machine_arns" {
  description = "ARN by project of the state machine that only schedules can start; \"*\" for projects without their own."
  type        = map(string)
}

variable "dead_letter_queue_arn" {
  description = "ARN of the dead-letter queue for failed starts."
  type        = string
}

variable "account_id" {
  description = "ID of the AWS account."
  type        = string
}

variable "tags" {
  description = "Tags for all resources that support them. Schedules don't, but their group does."
  type        = map(string)
  default     = {}
}
