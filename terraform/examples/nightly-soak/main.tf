provider "aws" {
  region = var.region
}

module "floodgate" {
  source = "../.."

  name              = "floodgate-soak"
  functions_package = var.functions_package

  projects = {
    shop = { max_tasks = 50, max_cost_usd = 20 }
  }

  schedules = {
    # Eight hours on every night before a working day, at two in the morning where the shop is, in summer and in winter.
    nightly-soak = {
      expression = "cron(0 2 ? * MON-FRI *)"
      timezone   = "Europe/Berlin"
      project    = "shop"
      test       = "soak"
      parameters = { "scenarios.browse.duration" = "8h" }
    }

    # A quick look every six hours; a quarter of an hour sooner or later does not matter.
    canary = {
      expression       = "rate(6 hours)"
      project          = "shop"
      test             = "checkout"
      parameters       = { "scenarios.browse.duration" = "2m" }
      flexible_minutes = 15
    }
  }

  # A soak that does not pass, is lost on its way, or costs more than planned wakes somebody.
  alarms = {
    failed_executions = 1
    daily_spend_usd   = 25
    emails            = var.alarm_emails
  }
}
