variable "bucket_name" {
  description = "Name of the bucket; globally unique."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name is \"${var.bucket_name}\": take 3 to 63 lower-case letters, digits and hyphens, with a letter or a digit at both ends (no dots: they break TLS)."
  }
}

variable "table_name" {
  description = "Name of the DynamoDB table."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table_name))
    error_message = "table_name is \"${var.table_name}\": take 3 to 255 letters, digits, underscores, dots and hyphens."
  }
}

variable "kms_key_arn" {
  description = "ARN of a customer managed key for bucket and table; null: S3's own key (SSE-S3) and DynamoDB's own key, which are free."
  type        = string
  default     = null
}

variable "versioning" {
  description = "Keep old versions of objects. Off by default: live objects are overwritten every few seconds, and each version costs money."
  type        = bool
  default     = false
}

variable "noncurrent_days" {
  description = "Days after which overwritten or deleted versions expire, with versioning."
  type        = number
  default     = 1

  validation {
    condition     = var.noncurrent_days >= 1 && floor(var.noncurrent_days) == var.noncurrent_days
    error_message = "noncurrent_days is ${var.noncurrent_days}: take a whole number of days from 1."
  }
}

variable "raw_data_days" {
  description = "Days after which shards and live objects expire. Summaries, reports and merged series stay."
  type        = number
  default     = 30

  validation {
    condition     = var.raw_data_days >= 1 && floor(var.raw_data_days) == var.raw_data_days
    error_message = "raw_data_days is ${var.raw_data_days}: take a whole number of days from 1."
  }
}

variable "results_days" {
  description = "Days after which all objects of a project expire, including definitions and summaries; null: never."
  type        = number
  default     = null

  validation {
    condition     = var.results_days == null ? true : var.results_days >= var.raw_data_days
    error_message = "results_days is ${coalesce(var.results_days, 0)}, less than raw_data_days: results must last at least as long as what they were computed from."
  }
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete a bucket that contains objects."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Protect the table and its records from deletion."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags for all resources that support them."
  type        = map(string)
  default     = {}
}
