# Single modules, where the root does not show what matters.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "storage_is_closed" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket_name = "floodgate-test"
    table_name  = "floodgate"
  }

  assert {
    condition     = alltrue([aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy, aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets])
    error_message = "the bucket can be made public"
  }

  assert {
    condition     = aws_dynamodb_table.this.point_in_time_recovery[0].enabled
    error_message = "the table has no point-in-time recovery"
  }

  assert {
    condition     = aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "the table can be deleted by mistake"
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this.rule) == 5
    error_message = "by default there are five rules: aborted uploads, raw data, results of queries, delivered notifications, and old versions of a bucket that had versioning"
  }

  assert {
    condition     = length(aws_s3_bucket_versioning.this) == 0
    error_message = "a bucket without versioning is told that it has none, which AWS refuses once it had"
  }
}

run "storage_denies_plain_text" {
  module {
    source = "./modules/storage"
  }

  variables {
    bucket_name = "floodgate-test"
    table_name  = "floodgate"
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false" && jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Effect == "Deny"
    error_message = aws_s3_bucket_policy.this.policy
  }
}

run "zones_by_id" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name     = "floodgate"
    region   = "eu-west-1"
    zone_ids = ["euw1-az3", "euw1-az1"]
  }

  # The mocked account calls its zones by other letters, as each old account does.
  assert {
    condition     = join(" ", [for subnet in aws_subnet.public : subnet.availability_zone]) == "zone-b zone-c"
    error_message = "subnets lie in ${join(", ", [for subnet in aws_subnet.public : subnet.availability_zone])}"
  }
}

run "zones_without_fargate" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name     = "floodgate"
    region   = "eu-west-1"
    zone_ids = ["euw1-az1", "usw2-lax1-az1"]
  }

  expect_failures = [aws_vpc.this]
}

run "more_zones_than_there_are" {
  command = plan

  module {
    source = "./modules/network"
  }

  override_data {
    target = data.aws_availability_zones.fargate
    values = {
      names    = ["us-west-1a", "us-west-1c"]
      zone_ids = ["usw1-az1", "usw1-az3"]
    }
  }

  variables {
    name   = "floodgate"
    region = "us-west-1"
    zones  = 3
  }

  expect_failures = [aws_vpc.this]
}

run "storage_with_versions" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket_name = "floodgate-test"
    table_name  = "floodgate"
    versioning  = true
  }

  assert {
    condition     = aws_s3_bucket_versioning.this[0].versioning_configuration[0].status == "Enabled"
    error_message = "the bucket keeps no versions"
  }
}

run "network_admits_nobody" {
  module {
    source = "./modules/network"
  }

  variables {
    name     = "floodgate"
    region   = "eu-west-1"
    projects = ["shop"]
    zones    = 3
  }

  assert {
    condition     = alltrue([for group in aws_security_group.project : length(group.ingress) == 0])
    error_message = "a security group admits traffic"
  }

  assert {
    condition     = join(" ", sort([for subnet in aws_subnet.public : subnet.cidr_block])) == "10.90.12.0/22 10.90.4.0/22 10.90.8.0/22"
    error_message = "subnets are ${join(", ", [for subnet in aws_subnet.public : subnet.cidr_block])}"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_subnet.private) == 0
    error_message = "there is something that costs money while no task runs"
  }
}

run "private_network_has_one_nat" {
  module {
    source = "./modules/network"
  }

  variables {
    name    = "floodgate"
    region  = "eu-west-1"
    private = true
  }

  assert {
    condition     = join(" ", keys(aws_nat_gateway.this)) == "zone-a"
    error_message = "NAT gateways in ${join(", ", keys(aws_nat_gateway.this))}"
  }

  assert {
    condition     = join(" ", sort([for subnet in aws_subnet.public : subnet.cidr_block])) == "10.90.0.0/24 10.90.1.0/24"
    error_message = "public subnets are ${join(", ", [for subnet in aws_subnet.public : subnet.cidr_block])}"
  }
}

run "schedule_starts_the_test" {
  module {
    source = "./modules/schedules"
  }

  variables {
    name                  = "floodgate"
    iam_prefix            = "floodgate"
    account_id            = "123456789012"
    state_machine_arns    = { shop = "arn:aws:states:eu-west-1:123456789012:stateMachine:floodgate_shop_scheduled" }
    dead_letter_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:floodgate-dead-letters"
    schedules = {
      soak = { expression = "rate(1 day)", project = "shop", test = "soak", env = { TOKEN = "hunter2" }, flexible_minutes = 15 }
    }
  }

  # What cannot be delivered lies in a queue with this input.
  assert {
    condition     = jsondecode(aws_scheduler_schedule.this["soak"].target[0].input) == { schedule = "soak" }
    error_message = aws_scheduler_schedule.this["soak"].target[0].input
  }

  assert {
    condition     = endswith(aws_scheduler_schedule.this["soak"].target[0].arn, ":floodgate_shop_scheduled")
    error_message = aws_scheduler_schedule.this["soak"].target[0].arn
  }

  assert {
    condition     = aws_scheduler_schedule.this["soak"].flexible_time_window[0].maximum_window_in_minutes == 15
    error_message = "the window is lost"
  }
}

run "queries_read_only_what_they_name" {
  command = plan

  module {
    source = "./modules/queries"
  }

  variables {
    name         = "load-tests"
    bucket       = "results"
    first_day    = "2026-11-01"
    max_query_gb = 0.5
  }

  assert {
    condition     = aws_glue_catalog_table.buckets.parameters["storage.location.template"] == "s3://results/projects/$${project}/buckets/$${test}/$${day}/"
    error_message = aws_glue_catalog_table.buckets.parameters["storage.location.template"]
  }

  assert {
    condition     = aws_glue_catalog_table.buckets.parameters["projection.day.range"] == "2026-11-01,NOW"
    error_message = aws_glue_catalog_table.buckets.parameters["projection.day.range"]
  }

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].bytes_scanned_cutoff_per_query == 500000000 && aws_athena_workgroup.this.configuration[0].enforce_workgroup_configuration
    error_message = "a query may read what it likes"
  }

  assert {
    condition     = strcontains(aws_athena_prepared_statement.this["percentile"].query_statement, "FROM load_tests.buckets")
    error_message = aws_athena_prepared_statement.this["percentile"].query_statement
  }
}

run "queries_begin_on_a_day" {
  command = plan

  module {
    source = "./modules/queries"
  }

  variables {
    name      = "floodgate"
    bucket    = "results"
    first_day = "yesterday"
  }

  expect_failures = [var.first_day]
}
