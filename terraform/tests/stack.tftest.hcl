# The root module with its defaults and with everything on, applied with a provider that calls nobody.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  # Any file will do: it is only hashed.
  functions_package = "versions.tf"
}

run "defaults" {
  assert {
    condition     = module.storage.bucket == "floodgate-123456789012-eu-west-1"
    error_message = "the bucket is ${module.storage.bucket}"
  }

  assert {
    condition     = join(" ", keys(module.functions.names)) == "export finish launch merge prepare reap watch"
    error_message = "the functions are ${join(", ", keys(module.functions.names))}"
  }

  assert {
    condition     = module.functions.names["reap"] == "floodgate-reap"
    error_message = "reap is ${module.functions.names["reap"]}"
  }

  assert {
    condition     = length(module.schedules) == 0
    error_message = "there are schedules that nobody asked for"
  }

  assert {
    condition     = length(module.regional["eu-west-1"].nat_addresses) == 0
    error_message = "there is a NAT gateway, which costs money while nothing runs"
  }
}

run "placement_of_defaults" {
  assert {
    condition     = jsondecode(aws_s3_object.placement.content).schema == 1
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = join(" ", keys(jsondecode(aws_s3_object.placement.content).regions)) == "eu-west-1"
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = jsondecode(aws_s3_object.placement.content).regions["eu-west-1"].networks.default.assign_public_ip
    error_message = "tasks in public subnets need public addresses: ${aws_s3_object.placement.content}"
  }

  assert {
    condition     = join(" ", keys(jsondecode(aws_s3_object.placement.content).regions["eu-west-1"].task_definitions.http)) == "x86_64"
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = jsondecode(aws_s3_object.placement.content).launch_type == null
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = jsondecode(aws_s3_object.placement.content).projects["*"].max_tasks == 1000
    error_message = aws_s3_object.placement.content
  }
}

run "more_tags_than_an_object_may_have" {
  variables {
    tags = { for number in range(12) : "tag-${number}" => "x" }
  }

  assert {
    condition     = try(length(aws_s3_object.placement.tags), 0) == 0
    error_message = "the object has ${try(length(aws_s3_object.placement.tags), 0)} tags"
  }
}

run "a_stack_of_the_same_name_in_another_region" {
  assert {
    condition     = alltrue([for name in values(module.functions.role_names) : strcontains(name, "-eu-west-1-")])
    error_message = "roles are ${join(", ", values(module.functions.role_names))}, and IAM has them once in an account"
  }
}

run "private_network_with_projects" {
  variables {
    network = {
      vpc = { zones = 3, private = true, nat = "per-zone" }
    }
    projects = {
      "*"  = {}
      shop = { max_tasks = 10, max_cost_usd = 5, principals = ["arn:aws:iam::123456789012:role/shop"] }
    }
  }

  assert {
    condition     = length(module.regional["eu-west-1"].nat_addresses) == 3
    error_message = "there are ${length(module.regional["eu-west-1"].nat_addresses)} NAT gateways"
  }

  assert {
    condition     = join(" ", keys(jsondecode(aws_s3_object.placement.content).regions["eu-west-1"].networks)) == "default shop"
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = !jsondecode(aws_s3_object.placement.content).regions["eu-west-1"].networks.shop.assign_public_ip
    error_message = "private tasks have no public address: ${aws_s3_object.placement.content}"
  }

  assert {
    condition     = length(jsondecode(aws_s3_object.placement.content).regions["eu-west-1"].networks.shop.subnets) == 3
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = jsondecode(aws_s3_object.placement.content).projects.shop.max_cost_usd == 5
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = join(" ", keys(module.access.policy_arns)) == "* shop"
    error_message = "policies for ${join(", ", keys(module.access.policy_arns))}"
  }
}

run "existing_network" {
  variables {
    network = {
      networks   = { default = { subnets = ["subnet-1", "subnet-2"], security_groups = ["sg-1"] } }
      vcpu_quota = 64
    }
  }

  assert {
    condition     = jsondecode(aws_s3_object.placement.content).regions["eu-west-1"].networks.default == { subnets = ["subnet-1", "subnet-2"], security_groups = ["sg-1"], assign_public_ip = false }
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = jsondecode(aws_s3_object.placement.content).regions["eu-west-1"].vcpu_quota == 64
    error_message = aws_s3_object.placement.content
  }
}

run "several_regions_and_engines" {
  variables {
    regions = { us-east-1 = { vpc = { cidr = "10.91.0.0/20" } } }
    engines = {
      http = { architectures = ["arm64", "x86_64"], digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }
      k6   = { image = "example.com/k6:1" }
    }
  }

  assert {
    condition     = join(" ", keys(jsondecode(aws_s3_object.placement.content).regions)) == "eu-west-1 us-east-1"
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = join(" ", keys(jsondecode(aws_s3_object.placement.content).regions["us-east-1"].task_definitions.http)) == "arm64 x86_64"
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = join(" ", keys(jsondecode(aws_s3_object.placement.content).image_digest)) == "http"
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = join(" ", keys(output.repository_urls)) == "http"
    error_message = "an image of somebody else's needs no repository"
  }
}

run "emulator" {
  variables {
    emulator_endpoint = "http://127.0.0.1:4566"
    engines           = { http = { image = "floodgate-generator:dev" } }
  }

  assert {
    condition     = jsondecode(aws_s3_object.placement.content).launch_type == "EC2"
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = length(jsondecode(aws_s3_object.placement.content).regions["eu-west-1"].networks) == 0
    error_message = aws_s3_object.placement.content
  }
}

run "schedules_and_alarms" {
  variables {
    schedules = {
      soak = { expression = "cron(0 2 * * ? *)", timezone = "Europe/Berlin", project = "shop", test = "soak", overlap = "queue", blackouts = ["mon-fri 09:00-18:00", "2026-12-20T00:00:00/2027-01-04T00:00:00"] }
    }
    alarms = { daily_spend_usd = 10, emails = ["team@example.com"] }
  }

  assert {
    condition     = join(" ", keys(output.schedule_arns)) == "soak"
    error_message = "schedules: ${join(", ", keys(output.schedule_arns))}"
  }

  assert {
    condition     = jsondecode(aws_s3_object.placement.content).schedules.soak.test == "soak"
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = jsondecode(aws_s3_object.placement.content).schedules.soak.overlap == "queue" && length(jsondecode(aws_s3_object.placement.content).schedules.soak.blackouts) == 2 && jsondecode(aws_s3_object.placement.content).schedules.soak.timezone == "Europe/Berlin"
    error_message = aws_s3_object.placement.content
  }

  # "shop" is not named: schedules of the others have a machine of their own.
  assert {
    condition     = join(" ", sort(values(local.state_machine_arns))) == "arn:aws:states:eu-west-1:123456789012:stateMachine:floodgate arn:aws:states:eu-west-1:123456789012:stateMachine:floodgate__scheduled"
    error_message = jsonencode(local.state_machine_arns)
  }

  assert {
    condition     = contains(keys(module.alarms[0].alarm_arns), "spend")
    error_message = "alarms: ${join(", ", keys(module.alarms[0].alarm_arns))}"
  }
}

run "nothing_but_what_is_needed" {
  variables {
    alarms = null
  }

  assert {
    condition     = length(module.alarms) == 0
    error_message = "there are alarms"
  }
}

run "each_project_has_a_state_machine_and_a_role" {
  variables {
    projects = {
      "*"  = {}
      shop = { secret_arns = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/*"], allowed_targets = ["*.shop.example.com", "10.0.0.0/8"] }
    }
  }

  assert {
    condition     = join(" ", keys(output.state_machine_arns)) == "* shop"
    error_message = jsonencode(output.state_machine_arns)
  }

  assert {
    condition     = join(" ", keys(jsondecode(aws_s3_object.placement.content).task_roles)) == "* shop"
    error_message = aws_s3_object.placement.content
  }

  assert {
    condition     = jsondecode(aws_s3_object.placement.content).projects.shop.allowed_targets[0] == "*.shop.example.com"
    error_message = aws_s3_object.placement.content
  }
}

run "queries" {
  command = plan

  variables {
    queries = { first_day = "2026-11-01" }
  }

  assert {
    condition     = output.queries.database == "floodgate" && output.queries.workgroup == "floodgate"
    error_message = "queries are ${jsonencode(output.queries)}"
  }

  assert {
    condition     = join(" ", output.queries.statements) == "compare_runs error_rate percentile throughput"
    error_message = "the statements are ${jsonencode(output.queries)}"
  }
}

run "no_queries" {
  command = plan

  assert {
    condition     = output.queries == null && length(module.queries) == 0
    error_message = "there are tables that nobody asked for"
  }
}

run "notifications" {
  variables {
    notifications = {
      console_url = "https://floodgate.example.com"
      topic_arns  = ["arn:aws:sns:eu-west-1:123456789012:load-tests"]
    }
  }

  assert {
    condition     = join(" ", keys(module.functions.names)) == "export finish launch merge notify prepare reap watch"
    error_message = "the functions are ${join(", ", keys(module.functions.names))}"
  }
}
