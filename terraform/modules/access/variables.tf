variable "name" {
  description = "Name of the stack; the policies are {name}-runner-{project}."
  type        = string
}

variable "iam_prefix" {
  description = "What names of roles and policies start with: they are one namespace for all regions of the account."
  type        = string
}

variable "projects" {
  description = "Projects that get a policy of their own; \"*\" is the policy for all that are not named."
  type        = set(string)
}

variable "state_machine_arns" {
  description = "ARN by project of the state machine that its runners start."
  type        = map(string)
}

variable "execution_arns" {
  description = "ARNs by project of the executions of its state machines."
  type        = map(list(string))
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
