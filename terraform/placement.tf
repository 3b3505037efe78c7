# What the functions know of where generators can run. They read it from the bucket at each start, so a change needs no
# new functions.

locals {
  placement = {
    schema = 1
    regions = {
      for region, made in module.regional : region => {
        cluster          = made.cluster_arn
        task_definitions = module.generator.task_definitions[region]
        networks         = made.networks
        vcpu_quota       = local.regions[region].vcpu_quota
      }
    }
    capacity = {
      provider = var.capacity.provider
      fallback = var.capacity.fallback
    }
    launch_type = local.emulated ? "EC2" : null
    # A schedule is admitted to its own project, whoever else is.
    projects = { for project, rules in var.projects : project => merge(rules, {
      principals = concat(rules.principals, [
        for name, schedule in var.schedules : "schedule/${var.name}/${name}"
        if schedule.project == project || project == "*" && !contains(keys(var.projects), schedule.project)
      ])
    }) }
    task_roles              = module.generator.task_role_arns
    secret_arns             = var.secret_arns
    images                  = module.generator.images
    version                 = local.version
    image_digest            = { for engine, generator in var.engines : engine => generator.digest if generator.digest != null }
    max_tasks_per_execution = var.max_tasks_per_execution
    start_timeout_s         = var.start_timeout_s
    exports                 = var.exports
    cloudwatch_namespaces   = var.cloudwatch_namespaces
    run_metrics_namespace   = var.run_metrics_namespace
    # What a schedule starts stands here and not in its target, whose input lies in the dead-letter queue if it cannot be delivered.
    schedules = {
      for name, schedule in var.schedules : name => {
        project    = schedule.project
        test       = schedule.test
        version    = schedule.version
        parameters = schedule.parameters
        env        = schedule.env
        overlap    = schedule.overlap
        blackouts  = schedule.blackouts
        timezone   = schedule.timezone
      }
    }
    # What one function merges at most is the functions' own business; tests set it.
    merge_shards = null
  }
}

resource "aws_s3_object" "placement" {
  bucket       = module.storage.bucket
  key          = "config/placement.json"
  content      = jsonencode(local.placement)
  content_type = "application/json"

  # An object has ten tags at most, and a stack may have more; so this one has none, those of the provider left out too.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
  override_provider {
    default_tags {
      tags = {}
    }
  }
}
