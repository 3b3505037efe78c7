variable "name" {
  description = "Name of the stack."
  type        = string
}

variable "region" {
  description = "Region of all resources of the module."
  type        = string
}

variable "network" {
  description = "The VPC to create, as inputs of the module network; null: use the subnets in existing_networks."
  type = object({
    cidr         = string
    zones        = number
    zone_ids     = list(string)
    private      = bool
    nat          = string
    egress_cidrs = set(string)
  })
  default = null
}

variable "existing_networks" {
  description = "Existing subnets and security groups by project; the key default applies to all others."
  type = map(object({
    subnets          = list(string)
    security_groups  = list(string)
    assign_public_ip = bool
  }))
  default = {}
}

variable "projects" {
  description = "Projects with their own security group in a VPC created here."
  type        = set(string)
  default     = []
}

variable "container_insights" {
  description = "Enable CloudWatch Container Insights: metrics of every task, billed as custom metrics."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "Retention of the generators' logs, in days."
  type        = number
  default     = 30
}

variable "emulated" {
  description = "Create no network: an emulator runs tasks on the host's network."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags for all resources that support them."
  type        = map(string)
  default     = {}
}
