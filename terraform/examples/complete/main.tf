provider "aws" {
  region = var.region

  default_tags {
    tags = { Team = "performance", CostCenter = "4711" }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# One key for all stored data. IAM policies of the account decide who can use it.
resource "aws_kms_key" "floodgate" {
  description             = "Floodgate: definitions, results, records, images"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

data "aws_iam_policy_document" "key" {
  # For checkov and similar tools: this is AWS's default key policy, which leaves the decision to IAM.
  # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
  statement {
    sid       = "LeaveItToIam"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }
}

module "floodgate" {
  source = "../.."

  name              = "floodgate-prod"
  functions_package = var.functions_package
  kms_key_arn       = aws_kms_key.floodgate.arn

  # Tasks run in private subnets: targets see three fixed addresses (output nat_addresses).
  network = {
    vpc = {
      cidr    = "10.90.0.0/18"
      zones   = 3
      private = true
      nat     = "per-zone"
    }
  }

  engines = {
    http = { architectures = ["arm64", "x86_64"], tag = var.image_tag }
    k6   = { architectures = ["x86_64"], tag = var.image_tag }
  }

  # Two thirds cheaper, with On-Demand as the fallback. If more tasks are interrupted than the definition tolerates, the run is
  # inconclusive; it never passes.
  capacity = { provider = "FARGATE_SPOT", fallback = true }

  # Only these two projects can run anything.
  projects = {
    shop = {
      max_tasks    = 200
      max_cost_usd = 50
      principals   = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/shop-pipeline"]
    }
    search = {
      max_tasks    = 20
      max_cost_usd = 5
    }
  }

  functions = {
    merge = { memory_mb = 3008 }
  }

  alarms = {
    failed_executions = 3
    daily_spend_usd   = 100
    emails            = var.alarm_emails
  }

  versioning         = true
  raw_data_days      = 14
  results_days       = 730
  log_retention_days = 90
  tracing            = true
  container_insights = true

  tags = { Service = "load-tests" }
}
