variable "name" {
  description = "Name of the stack; the policies are {name}-runner-{project}."
  type        = string
}

variable "iam_prefix" {
  description = "What names of roles and policies start with: they are one namespace for all regions of the account."
  type        = string
}

variable "projects" {
  description = "Projects that get a policy of their own; \"*\" is the policy for all projects."
  type        = set(string)
}

variable "state_machine_arn" {
  description = "ARN of the state machine."
  type        = string
}

variable "bucket_arn" {
  description = "ARN of the bucket."
  type        = string
}

variable "table_arn" {
  description = "ARN of the table."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of bucket and table, if it is the customer's."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that can have any."
  type        = map(string)
  default     = {}
}
