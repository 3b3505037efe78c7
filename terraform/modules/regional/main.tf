# What one region needs for generators to run in it. Every region, the first one too, is made by this module; there is
# one bucket and one state machine for all of them.

resource "aws_ecs_cluster" "this" {
  region = var.region
  name   = var.name
  tags   = var.tags

  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  region             = var.region
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_cloudwatch_log_group" "generator" {
  region            = var.region
  name              = "/floodgate/${var.name}/generator"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

module "network" {
  source = "../network"
  count  = var.network == null || var.emulated ? 0 : 1

  name         = var.name
  region       = var.region
  cidr         = var.network.cidr
  zones        = var.network.zones
  zone_ids     = var.network.zone_ids
  private      = var.network.private
  nat          = var.network.nat
  egress_cidrs = var.network.egress_cidrs
  projects     = var.projects
  tags         = var.tags
}
