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
    # Eight hours before each working day, at two in the morning in the shop's time zone, in summer and in winter.
    nightly-soak = {
      expression = "cron(0 2 ? * MON-FRI *)"
      timezone   = "Europe/Berlin"
      project    = "shop"
      test       = "soak"
      parameters = { "scenarios.browse.duration" = "8h" }
    }

    # A short check every six hours, up to a quarter of an hour late.
    canary = {
      expression       = "rate(6 hours)"
      project          = "shop"
      test             = "checkout"
      parameters       = { "scenarios.browse.duration" = "2m" }
      flexible_minutes = 15
    }
  }

  # Notify somebody if a soak test doesn't pass, can't be started, or costs more than planned.
  alarms = {
    failed_executions = 1
    daily_spend_usd   = 25
    emails            = var.alarm_emails
  }
}
