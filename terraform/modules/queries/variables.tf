variable "name" {
  description = "Name of the stack: that of the workgroup, and with underscores instead of hyphens that of the database."
  type        = string
}

variable "bucket" {
  description = "Bucket of definitions and results; the results of queries go there, too, below queries/."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key that encrypts results of queries; null: S3's own key."
  type        = string
  default     = null
}

variable "first_day" {
  description = "First day that queries look at, as YYYY-MM-DD. Each day from then on is a look into the bucket unless a query bounds it."
  type        = string
  default     = "2026-01-01"
  nullable    = false

  validation {
    condition     = can(regex("^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", var.first_day))
    error_message = "first_day is \"${var.first_day}\": take a day such as 2026-01-01."
  }
}

variable "max_query_gb" {
  description = "Gigabytes that a query can read at most."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_query_gb >= 0.01 && var.max_query_gb <= 100000
    error_message = "max_query_gb is ${var.max_query_gb}: take 0.01 (Athena's least, 10 MB) to 100000."
  }
}

variable "tags" {
  description = "Tags for all resources that support them."
  type        = map(string)
  default     = {}
}
