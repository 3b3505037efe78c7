variable "name" {
  description = "Name of the VPC, and prefix of the names of its resources."
  type        = string
}

variable "region" {
  description = "Region of the VPC."
  type        = string
}

variable "cidr" {
  description = "CIDR block of the VPC, from /16 to /20. A /20 has room for 1,000 tasks per zone."
  type        = string
  default     = "10.90.0.0/20"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr is \"${var.cidr}\": take an IPv4 block from /16 to /20, such as 10.90.0.0/20."
  }
}

variable "zones" {
  description = "Number of availability zones, 1 to 3. More zones provide more Fargate capacity."
  type        = number
  default     = 2

  validation {
    condition     = contains([1, 2, 3], var.zones)
    error_message = "zones is ${var.zones}: take 1, 2 or 3."
  }
}

variable "zone_ids" {
  description = "IDs of one to three availability zones, such as euw1-az1; empty: the first `zones` zones by name."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.zone_ids) <= 3 && length(distinct(var.zone_ids)) == length(var.zone_ids)
    error_message = "zone_ids has [${join(", ", var.zone_ids)}]: take at most three, each once."
  }
}

variable "private" {
  description = "Run tasks in private subnets behind NAT, without public addresses. NAT gateways cost money per hour and per gigabyte."
  type        = bool
  default     = false
}

variable "nat" {
  description = "NAT gateways if private: `one`, or `per-zone`."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["one", "per-zone"], var.nat)
    error_message = "nat is \"${var.nat}\": take one or per-zone."
  }
}

variable "projects" {
  description = "Projects with their own security group, in addition to the one named default."
  type        = set(string)
  default     = []
}

variable "egress_cidrs" {
  description = "Where tasks can send traffic to. ECR, CloudWatch Logs and S3 must be reachable, or no task starts."
  type        = set(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.egress_cidrs) > 0 && alltrue([for cidr in var.egress_cidrs : can(cidrnetmask(cidr))])
    error_message = "egress_cidrs is [${join(", ", var.egress_cidrs)}]: take at least one IPv4 block such as 10.0.0.0/8."
  }
}

variable "tags" {
  description = "Tags for all resources that support them."
  type        = map(string)
  default     = {}
}
