# Every example can be applied as it stands.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  functions_package = "versions.tf"
}

run "minimal" {
  module {
    source = "./examples/minimal"
  }
}

run "complete" {
  module {
    source = "./examples/complete"
  }

  assert {
    condition     = length(output.nat_addresses["eu-west-1"]) == 3
    error_message = "targets are to see three fixed addresses"
  }
}

run "nightly_soak" {
  module {
    source = "./examples/nightly-soak"
  }

  assert {
    condition     = join(" ", keys(output.schedule_arns)) == "canary nightly-soak"
    error_message = "schedules: ${join(", ", keys(output.schedule_arns))}"
  }
}

run "multi_region" {
  module {
    source = "./examples/multi-region"
  }
}
