variable "name" {
  description = "Name of the stack."
  type        = string
}

variable "iam_prefix" {
  description = "What names of roles and policies start with: they are one namespace for all regions of the account."
  type        = string
}

variable "engines" {
  description = "The engines on offer: architectures of the image, and its tag or digest in the repository made here, or another image."
  type = map(object({
    architectures = set(string)
    tag           = string
    digest        = optional(string)
    image         = optional(string)
  }))
}

variable "log_groups" {
  description = "Name and ARN of the log group in each region where generators run."
  type = map(object({
    name = string
    arn  = string
  }))
}

variable "bucket_arn" {
  description = "ARN of the bucket."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of bucket and images, if it is the customer's."
  type        = string
  default     = null
}

variable "projects" {
  description = "Projects, each with a role of its own for its generators, and the secrets that they read when they start. \"*\" is for all that are not named."
  type = map(object({
    secret_arns = list(string)
  }))
}

variable "secret_kms_key_arns" {
  description = "Keys of the customer's that those secrets are encrypted with."
  type        = list(string)
  default     = []
}

variable "cpu" {
  description = "CPU units of a task that asks for none; 1024 are one vCPU."
  type        = number
  default     = 1024
}

variable "memory_mb" {
  description = "Memory of a task that asks for none, in MiB."
  type        = number
  default     = 2048
}

variable "images_kept" {
  description = "Images kept in each repository."
  type        = number
  default     = 20

  validation {
    condition     = var.images_kept >= 1 && floor(var.images_kept) == var.images_kept
    error_message = "images_kept is ${var.images_kept}: take a whole number from 1."
  }
}

variable "account_id" {
  description = "Number of the account."
  type        = string
}

variable "partition" {
  description = "Partition of ARNs: aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete repositories that have images in them."
  type        = bool
  default     = false
}

variable "emulator_endpoint" {
  description = "URL of an emulator, for tasks on the host's network in place of Fargate."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that can have any."
  type        = map(string)
  default     = {}
}
