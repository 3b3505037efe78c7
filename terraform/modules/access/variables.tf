variable "name" {
  description = "Name of the stack; policies are named {name}-runner-{project}."
  type        = string
}

variable "iam_prefix" {
  description = "Prefix of the names of roles and policies, which share one namespace for all regions of the account."
  type        = string
}

variable "projects" {
  description = "Projects with their own policy; \"*\" is the policy for all projects that aren't named."
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
  description = "ARN of the customer managed key of bucket and table; optional."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for all resources that support them."
  type        = map(string)
  default     = {}
}
