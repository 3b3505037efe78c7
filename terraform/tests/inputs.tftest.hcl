# What is refused, each by the input that is wrong.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  functions_package = "versions.tf"
}

run "name" {
  command = plan

  variables {
    name = "Flood_Gate"
  }

  expect_failures = [var.name]
}

run "architecture" {
  command = plan

  variables {
    functions_architecture = "amd64"
  }

  expect_failures = [var.functions_architecture]
}

run "engine" {
  command = plan

  variables {
    engines = { locust = {} }
  }

  expect_failures = [var.engines]
}

run "digest" {
  command = plan

  variables {
    engines = { http = { digest = "latest" } }
  }

  expect_failures = [var.engines]
}

run "network_without_default" {
  command = plan

  variables {
    network = { networks = { shop = { subnets = ["subnet-1"], security_groups = ["sg-1"] } } }
  }

  expect_failures = [var.network]
}

run "region" {
  command = plan

  variables {
    regions = { Ireland = {} }
  }

  expect_failures = [var.regions]
}

run "capacity" {
  command = plan

  variables {
    capacity = { provider = "SPOT" }
  }

  expect_failures = [var.capacity]
}

run "project" {
  command = plan

  variables {
    projects = { "my shop" = {} }
  }

  expect_failures = [var.projects]
}

run "limits" {
  command = plan

  variables {
    projects = { shop = { max_cost_usd = 0 } }
  }

  expect_failures = [var.projects]
}

run "targets" {
  command = plan

  variables {
    projects = { shop = { allowed_targets = ["http://shop.example.com"] } }
  }

  expect_failures = [var.projects]
}

run "no_targets" {
  command = plan

  variables {
    projects = { shop = { allowed_targets = [] } }
  }

  expect_failures = [var.projects]
}

run "unconfined" {
  command = plan

  variables {
    projects = { shop = { unconfined_engines = ["http"] } }
  }

  expect_failures = [var.projects]
}

run "secret_of_a_project" {
  command = plan

  variables {
    projects = { shop = { secret_arns = ["*"] } }
  }

  expect_failures = [var.projects]
}

run "names_that_are_too_long_together" {
  command = plan

  variables {
    name     = "twenty-four-letters-long"
    projects = { a-project-whose-name-has-fifty-six-letters-in-all-of-them = {} }
  }

  expect_failures = [var.projects]
}

run "export_with_a_secret_in_its_url" {
  command = plan

  variables {
    exports = [{ to = "influxdb://store.example:8086/load?token=hunter2" }]
  }

  expect_failures = [var.exports]
}

run "export_to_a_file" {
  command = plan

  variables {
    exports = [{ to = "file:run.csv" }]
  }

  expect_failures = [var.exports]
}

run "export_with_any_secret" {
  command = plan

  variables {
    exports = [{ to = "otlp+http://store.example:4318", token_secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*" }]
  }

  expect_failures = [var.exports]
}

run "export_to_a_namespace_that_is_not_named" {
  command = plan

  variables {
    exports = [{ to = "cloudwatch://Load?resolution=1" }]
  }

  expect_failures = [var.exports]
}

run "live_export_to_what_adds_up" {
  command = plan

  variables {
    exports = [{ to = "statsd://store.example:8125", live = true }]
  }

  expect_failures = [var.exports]
}

run "namespace_of_aws" {
  command = plan

  variables {
    cloudwatch_namespaces = ["AWS/EC2"]
  }

  expect_failures = [var.cloudwatch_namespaces]
}

run "export_from_no_subnet" {
  command = plan

  variables {
    export_network = { subnets = [], security_groups = ["sg-1"] }
  }

  expect_failures = [var.export_network]
}

run "schedule_of_nobody" {
  command = plan

  variables {
    projects  = { shop = {} }
    schedules = { soak = { expression = "rate(1 day)", project = "search", test = "soak" } }
  }

  expect_failures = [var.schedules]
}

run "tasks" {
  command = plan

  variables {
    max_tasks_per_execution = 0
  }

  expect_failures = [var.max_tasks_per_execution]
}

run "secret" {
  command = plan

  variables {
    secret_arns = ["*"]
  }

  expect_failures = [var.secret_arns]
}

run "key" {
  command = plan

  variables {
    kms_key_arn = "alias/aws/s3"
  }

  expect_failures = [var.kms_key_arn]
}

run "retention" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "package" {
  command = plan

  module {
    source = "./modules/functions"
  }

  variables {
    name               = "floodgate"
    iam_prefix         = "floodgate"
    package            = "no-such.zip"
    bucket             = "floodgate"
    bucket_arn         = "arn:aws:s3:::floodgate"
    table              = "floodgate"
    table_arn          = "arn:aws:dynamodb:eu-west-1:123456789012:table/floodgate"
    state_machine_base = "arn:aws:states:eu-west-1:123456789012:stateMachine:floodgate"
    state_machine_arns = ["arn:aws:states:eu-west-1:123456789012:stateMachine:floodgate"]
    execution_arns     = ["arn:aws:states:eu-west-1:123456789012:execution:floodgate:*"]
    task_role_arns     = ["arn:aws:iam::123456789012:role/floodgate"]
    region             = "eu-west-1"
    account_id         = "123456789012"
  }

  expect_failures = [var.package]
}

run "schedule" {
  command = plan

  module {
    source = "./modules/schedules"
  }

  variables {
    name                  = "floodgate"
    iam_prefix            = "floodgate"
    account_id            = "123456789012"
    state_machine_arns    = { "*" = "arn:aws:states:eu-west-1:123456789012:stateMachine:floodgate__scheduled" }
    dead_letter_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:floodgate-dead-letters"
    schedules             = { soak = { expression = "0 2 * * *", project = "shop", test = "soak" } }
  }

  expect_failures = [var.schedules]
}

run "an_overlap_policy_that_is_none" {
  command = plan

  module {
    source = "./modules/schedules"
  }

  variables {
    name                  = "floodgate"
    iam_prefix            = "floodgate"
    account_id            = "123456789012"
    state_machine_arns    = { "*" = "arn:aws:states:eu-west-1:123456789012:stateMachine:floodgate__scheduled" }
    dead_letter_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:floodgate-dead-letters"
    schedules             = { soak = { expression = "rate(1 day)", overlap = "wait", project = "shop", test = "soak" } }
  }

  expect_failures = [var.schedules]
}

run "a_window_that_is_none" {
  command = plan

  module {
    source = "./modules/schedules"
  }

  variables {
    name                  = "floodgate"
    iam_prefix            = "floodgate"
    account_id            = "123456789012"
    state_machine_arns    = { "*" = "arn:aws:states:eu-west-1:123456789012:stateMachine:floodgate__scheduled" }
    dead_letter_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:floodgate-dead-letters"
    schedules             = { soak = { expression = "rate(1 day)", blackouts = ["mon-fri 9-18"], project = "shop", test = "soak" } }
  }

  expect_failures = [var.schedules]
}

run "results_before_raw_data" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket_name   = "floodgate-test"
    table_name    = "floodgate"
    raw_data_days = 30
    results_days  = 7
  }

  expect_failures = [var.results_days]
}

run "address_block" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name   = "floodgate"
    region = "eu-west-1"
    cidr   = "10.90.0.0/24"
  }

  expect_failures = [var.cidr]
}

run "notifications" {
  command = plan

  variables {
    notifications = {
      topic_arns = ["arn:aws:sns:eu-west-1:123456789012:*"]
    }
  }

  expect_failures = [var.notifications]
}

run "notifications_by_mail" {
  command = plan

  variables {
    notifications = {
      ses_identity_arns = ["example.com"]
    }
  }

  expect_failures = [var.notifications]
}
