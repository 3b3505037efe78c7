variable "name" {
  description = "Name of the stack."
  type        = string
}

variable "region" {
  description = "Region of everything here."
  type        = string
}

variable "network" {
  description = "The VPC to make, as inputs of the module network; null: none, the subnets in existing_networks are used."
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
  description = "Existing subnets and security groups by project; the key default serves all others."
  type = map(object({
    subnets          = list(string)
    security_groups  = list(string)
    assign_public_ip = bool
  }))
  default = {}
}

variable "projects" {
  description = "Projects that get a security group of their own in a VPC made here."
  type        = set(string)
  default     = []
}

variable "container_insights" {
  description = "CloudWatch Container Insights: metrics of every task, each paid for as a custom metric."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "Days for which the generators' logs are kept."
  type        = number
  default     = 30
}

variable "emulated" {
  description = "Make no network: an emulator's tasks run on the host's."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything that can have any."
  type        = map(string)
  default     = {}
}
