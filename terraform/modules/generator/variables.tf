variable "name" {
  description = "Name of the stack."
  type        = string
}

variable "iam_prefix" {
  description = "Prefix of the names of roles and policies, which share one namespace for all regions of the account."
  type        = string
}

variable "engines" {
  description = "Available engines: architectures of the image, and its tag or digest in the repository created here, or another image."
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
  description = "ARN of the customer managed key of bucket and images; optional."
  type        = string
  default     = null
}

variable "projects" {
  description = "Projects, each with its own role for its generators, and the secrets that they read when they start. \"*\" is for all projects that aren't named."
  type = map(object({
    secret_arns = list(string)
  }))
}

variable "secret_kms_key_arns" {
  description = "ARNs of the customer managed keys that encrypt those secrets."
  type        = list(string)
  default     = []
}

variable "cpu" {
  description = "Default CPU units of a task; 1024 are one vCPU."
  type        = number
  default     = 1024
}

variable "memory_mb" {
  description = "Default memory of a task, in MiB."
  type        = number
  default     = 2048
}

variable "images_kept" {
  description = "Number of images to keep in each repository."
  type        = number
  default     = 20

  validation {
    condition     = var.images_kept >= 1 && floor(var.images_kept) == var.images_kept
    error_message = "images_kept is ${var.images_kept}: take a whole number from 1."
  }
}

variable "account_id" {
  description = "ID of the AWS account."
  type        = string
}

variable "partition" {
  description = "Partition of ARNs: aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete repositories that contain images."
  type        = bool
  default     = false
}

variable "emulator_endpoint" {
  description = "URL of an emulator, which runs tasks on the host's network instead of Fargate."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for all resources that support them."
  type        = map(string)
  default     = {}
}
