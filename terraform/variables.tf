variable "name" {
  description = "Name of the stack, and prefix of all names; must be unique in the account and region."
  type        = string
  default     = "floodgate"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\": take 3 to 24 lower-case letters, digits and hyphens that start with a letter and do not end with a hyphen."
  }
}

variable "functions_package" {
  description = "Path of the zip created by `cargo xtask package`, such as target/package/functions-arm64.zip."
  type        = string
}

variable "functions_architecture" {
  description = "Architecture of functions_package: arm64 or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.functions_architecture)
    error_message = "functions_architecture is \"${var.functions_architecture}\": take arm64 or x86_64, whichever `cargo xtask package` built for."
  }
}

variable "functions" {
  description = "Memory (MB) and timeout (s) by function (prepare, launch, watch, merge, finish, reap, notify, export); overrides the defaults."
  type = map(object({
    memory_mb = optional(number)
    timeout_s = optional(number)
  }))
  default  = {}
  nullable = false
}

variable "engines" {
  description = "Available engines: architectures of the image (arm64, x86_64), its tag in the stack's repository, and optionally its digest, which pins it. `image` is an image in another repository."
  type = map(object({
    architectures = optional(set(string), ["x86_64"])
    tag           = optional(string, "0.1.0")
    digest        = optional(string)
    image         = optional(string)
  }))
  default  = { http = {} }
  nullable = false

  validation {
    condition     = length(var.engines) > 0 && length(setsubtract(keys(var.engines), ["http", "k6", "jmeter", "gatling"])) == 0
    error_message = "engines has [${join(", ", keys(var.engines))}]: take one or more of http, k6, jmeter, gatling."
  }

  validation {
    condition     = alltrue([for engine in values(var.engines) : length(engine.architectures) > 0 && length(setsubtract(engine.architectures, ["arm64", "x86_64"])) == 0])
    error_message = "engines has architectures ${jsonencode({ for name, engine in var.engines : name => engine.architectures })}: take arm64, x86_64 or both for each."
  }

  validation {
    condition     = alltrue([for engine in values(var.engines) : engine.digest == null ? true : can(regex("^sha256:[0-9a-f]{64}$", engine.digest))])
    error_message = "engines has a digest among [${join(", ", compact([for engine in values(var.engines) : engine.digest]))}] that is not sha256: and 64 hexadecimal digits: take what `docker push` prints."
  }
}

variable "network" {
  description = <<-EOT
    Network for tasks in the home region. By default, the module creates a VPC with public subnets, which costs nothing while
    no task runs; `vpc.zone_ids` selects zones, `vpc.private` puts tasks behind NAT gateways. `networks` uses existing subnets
    by project instead; the key `default` is required. `vcpu_quota` overrides the value from Service Quotas.
  EOT
  type = object({
    networks = optional(map(object({
      subnets          = list(string)
      security_groups  = list(string)
      assign_public_ip = optional(bool, false)
    })), {})
    vpc = optional(object({
      cidr         = optional(string, "10.90.0.0/20")
      zones        = optional(number, 2)
      zone_ids     = optional(list(string), [])
      private      = optional(bool, false)
      nat          = optional(string, "one")
      egress_cidrs = optional(set(string), ["0.0.0.0/0"])
    }), {})
    vcpu_quota = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(var.network.networks) == 0 || contains(keys(var.network.networks), "default")
    error_message = "network.networks has [${join(", ", keys(var.network.networks))}] and no default: name the subnets of all other projects with the key default."
  }
}

variable "regions" {
  description = "Further regions for tasks, each with the same attributes as `network`. Their tasks write to the bucket in the home region."
  type = map(object({
    networks = optional(map(object({
      subnets          = list(string)
      security_groups  = list(string)
      assign_public_ip = optional(bool, false)
    })), {})
    vpc = optional(object({
      cidr         = optional(string, "10.90.0.0/20")
      zones        = optional(number, 2)
      zone_ids     = optional(list(string), [])
      private      = optional(bool, false)
      nat          = optional(string, "one")
      egress_cidrs = optional(set(string), ["0.0.0.0/0"])
    }), {})
    vcpu_quota = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for region in keys(var.regions) : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", region))])
    error_message = "regions has [${join(", ", keys(var.regions))}]: take names of regions such as us-east-1."
  }

  validation {
    condition     = alltrue([for region in values(var.regions) : length(region.networks) == 0 || contains(keys(region.networks), "default")])
    error_message = "regions has networks without a default in ${join(", ", [for name, region in var.regions : name if length(region.networks) > 0 && !contains(keys(region.networks), "default")])}: name the subnets of all other projects with the key default."
  }
}

variable "capacity" {
  description = "FARGATE, or FARGATE_SPOT at about a third of the price, whose tasks can be interrupted with two minutes' notice; with fallback to FARGATE if there is no Spot capacity."
  type = object({
    provider = optional(string, "FARGATE")
    fallback = optional(bool, true)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["FARGATE", "FARGATE_SPOT"], var.capacity.provider)
    error_message = "capacity.provider is \"${var.capacity.provider}\": take FARGATE or FARGATE_SPOT."
  }
}

variable "projects" {
  description = "Limits by project: maximum number of tasks, cost (USD) and VU hours of a run, maximum cost and VU hours of a calendar month (UTC), principals that can start runs (`*` matches any text), allowed targets of the load (hosts, *.suffixes, networks; null: anything), engines that can run although they can't be restricted to these targets, and the project's own secrets. \"*\" applies to all projects that aren't named; omit it to admit named projects only."
  type = map(object({
    max_tasks            = optional(number, 1000)
    max_cost_usd         = optional(number)
    max_monthly_usd      = optional(number)
    max_vu_hours         = optional(number)
    max_monthly_vu_hours = optional(number)
    principals           = optional(list(string), ["*"])
    allowed_targets      = optional(list(string))
    unconfined_engines   = optional(list(string), [])
    secret_arns          = optional(list(string), [])
  }))
  default  = { "*" = {} }
  nullable = false

  validation {
    condition     = alltrue([for project in keys(var.projects) : length(var.name) + length(project) <= 69])
    error_message = "projects has ${join(", ", [for project in keys(var.projects) : project if length(var.name) + length(project) > 69])}: a project's name and the stack's (${var.name}) have 69 characters at most together, since they name its state machines; take a shorter one."
  }

  validation {
    condition     = alltrue([for limits in values(var.projects) : limits.allowed_targets == null ? true : length(limits.allowed_targets) > 0 && alltrue([for target in limits.allowed_targets : can(cidrhost(target, 0)) || can(cidrhost("${target}/32", 0)) || can(cidrhost("${target}/128", 0)) || can(regex("^([*]?[.])?[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*[.]?$", target))])])
    error_message = "projects has allowed_targets ${jsonencode({ for project, limits in var.projects : project => limits.allowed_targets })}: take hosts (shop.example.com), all below one (*.example.com) and networks (10.0.0.0/8), one or more, or null for anything."
  }

  validation {
    condition     = alltrue([for limits in values(var.projects) : length(setsubtract(limits.unconfined_engines, ["k6", "jmeter", "gatling"])) == 0])
    error_message = "projects has unconfined_engines ${jsonencode({ for project, limits in var.projects : project => limits.unconfined_engines })}: take k6, jmeter and gatling; the engine http is always kept to allowed_targets."
  }

  validation {
    condition     = alltrue([for arn in flatten([for limits in values(var.projects) : limits.secret_arns]) : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*?]+[*?]*$", arn))])
    error_message = "projects has secret_arns [${join(", ", flatten([for limits in values(var.projects) : limits.secret_arns]))}]: take ARNs such as arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/token-??????."
  }

  validation {
    condition     = length(var.projects) > 0 && alltrue([for project in keys(var.projects) : project == "*" || can(regex("^[a-z0-9][a-z0-9-]{0,62}$", project))])
    error_message = "projects has [${join(", ", keys(var.projects))}]: take \"*\" or names of lower-case letters, digits and hyphens."
  }

  validation {
    condition     = alltrue([for limits in values(var.projects) : limits.max_tasks >= 1 && alltrue([for most in [limits.max_cost_usd, limits.max_monthly_usd, limits.max_vu_hours, limits.max_monthly_vu_hours] : most == null ? true : most > 0])])
    error_message = "projects has ${jsonencode(var.projects)}: max_tasks starts at 1; max_cost_usd, max_monthly_usd, max_vu_hours and max_monthly_vu_hours are more than 0, or null for no limit."
  }
}

variable "max_tasks_per_execution" {
  description = "Maximum number of tasks of a run."
  type        = number
  default     = 1000

  validation {
    condition     = var.max_tasks_per_execution >= 1 && var.max_tasks_per_execution <= 1000 && floor(var.max_tasks_per_execution) == var.max_tasks_per_execution
    error_message = "max_tasks_per_execution is ${var.max_tasks_per_execution}: take a whole number from 1 to 1000."
  }
}

variable "merge_concurrency" {
  description = "Maximum number of concurrent merge functions in a run whose shards are merged in parts; must be less than the account's Lambda concurrency, which is 10 in a new account."
  type        = number
  default     = 40
}

variable "start_timeout_s" {
  description = "Seconds from the start of a run until its tasks must be ready; null: 300."
  type        = number
  default     = null

  validation {
    condition     = var.start_timeout_s == null ? true : var.start_timeout_s >= 10 && var.start_timeout_s <= 3600
    error_message = "start_timeout_s is ${coalesce(var.start_timeout_s, 0)}: take 10 to 3600 seconds, or null for 300."
  }
}

variable "secret_arns" {
  description = "ARNs of secrets in Secrets Manager that definitions of all projects can refer to (secrets of a single project belong in `projects`). An ARN can end in a wildcard for the six characters that AWS appends."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.secret_arns : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*?]+[*?]*$", arn))])
    error_message = "secret_arns has [${join(", ", var.secret_arns)}]: take ARNs such as arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/token-??????."
  }
}

variable "secret_kms_key_arns" {
  description = "ARNs of the customer managed keys that encrypt those secrets, if they aren't encrypted with kms_key_arn or the service's own key."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.secret_kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", arn))])
    error_message = "secret_kms_key_arns has [${join(", ", var.secret_kms_key_arns)}]: take ARNs of keys (arn:aws:kms:…:key/…), not aliases."
  }
}

variable "schedules" {
  description = "Scheduled runs by name: cron(…), rate(…) or at(…), a time zone, the run's project, test, version, parameters and env, how many minutes late it can start, what becomes of a start while the last run goes on (skip, queue, replace), and windows in which nothing starts (blackouts)."
  type = map(object({
    expression       = string
    timezone         = optional(string, "UTC")
    project          = string
    test             = string
    version          = optional(string)
    parameters       = optional(map(string))
    env              = optional(map(string))
    description      = optional(string)
    flexible_minutes = optional(number, 0)
    enabled          = optional(bool, true)
    overlap          = optional(string, "skip")
    blackouts        = optional(list(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : contains(keys(var.projects), schedule.project) || contains(keys(var.projects), "*")])
    error_message = "schedules has projects [${join(", ", [for schedule in values(var.schedules) : schedule.project])}] and the stack [${join(", ", keys(var.projects))}]: add the project to projects, or \"*\"."
  }
}

variable "exports" {
  description = "Where results of all runs go (docs/export.md), beside what their definitions say: URLs, ARNs of the secrets that hold password or token, the projects whose runs are exported (null: all), and whether they are while they go on."
  type = list(object({
    to                  = string
    password_secret_arn = optional(string)
    token_secret_arn    = optional(string)
    projects            = optional(list(string))
    live                = optional(bool, false)
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for export in var.exports : !export.live || can(regex("^(influx|postgres|prometheus|otlp)", export.to))])
    error_message = "exports has live for [${join(", ", [for export in var.exports : export.to if export.live])}]: StatsD and CloudWatch add up whatever comes, so they get runs that have ended alone."
  }

  validation {
    condition     = alltrue([for export in var.exports : can(regex("^(influxdb|influxdb[+]https?|influxdbs|statsd|statsd[+](tcp|udp)|postgres|postgresql|prometheus[+]https?|otlp[+]https?|cloudwatch)://[^[:space:]]+$", export.to)) && !can(regex("://[^/?]*:[^/?]*@|[?&](password|token|sslrootcert)=", export.to))])
    error_message = "exports has [${join(", ", [for export in var.exports : export.to])}]: take URLs such as influxdb://HOST:8086/DB or otlp+http://HOST:4318, without files, passwords and tokens; secrets belong in password_secret_arn and token_secret_arn."
  }

  validation {
    condition     = alltrue([for arn in flatten([for export in var.exports : [export.password_secret_arn, export.token_secret_arn]]) : arn == null ? true : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*?]+$", arn))])
    error_message = "exports has secrets ${jsonencode([for export in var.exports : [export.password_secret_arn, export.token_secret_arn]])}: take ARNs such as arn:aws:secretsmanager:eu-west-1:123456789012:secret:influx-AbCdEf, with the six characters that AWS appends."
  }

  validation {
    condition     = alltrue([for export in var.exports : startswith(export.to, "cloudwatch://") ? contains(var.cloudwatch_namespaces, trim(split("?", trimprefix(export.to, "cloudwatch://"))[0], "/")) : true])
    error_message = "exports has [${join(", ", [for export in var.exports : export.to])}] and cloudwatch_namespaces [${join(", ", var.cloudwatch_namespaces)}]: name the namespace there, too."
  }
}

variable "export_network" {
  description = "Existing subnets and security groups for the function that exports, so that it reaches stores in a private network. The subnets need a way to S3, DynamoDB, Secrets Manager, CloudWatch (if exported to) and public stores: endpoints or a NAT gateway. null: not in a VPC."
  type = object({
    subnets         = list(string)
    security_groups = list(string)
  })
  default = null

  validation {
    condition     = var.export_network == null ? true : length(var.export_network.subnets) > 0 && length(var.export_network.security_groups) > 0
    error_message = "export_network is ${jsonencode(var.export_network)}: name at least one subnet and one security group, or null."
  }
}

variable "cloudwatch_namespaces" {
  description = "Namespaces of CloudWatch that results can be exported to with cloudwatch://NAMESPACE. Each metric with its dimensions is a custom metric that costs money. [] switches it off."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for namespace in var.cloudwatch_namespaces : can(regex("^[A-Za-z0-9._/#:-]{1,255}$", namespace)) && !startswith(namespace, "AWS/")])
    error_message = "cloudwatch_namespaces has [${join(", ", var.cloudwatch_namespaces)}]: take letters, digits and .-_/#:, up to 255, not beginning with AWS/."
  }
}

variable "run_metrics_namespace" {
  description = "Namespace of CloudWatch that gets the figures of every run that was judged, by test: they stand in the log of the function finish, and need no permission. Some 20 custom metrics a test, which cost money. null: none."
  type        = string
  default     = null

  validation {
    condition     = var.run_metrics_namespace == null ? true : can(regex("^[A-Za-z0-9._/#:-]{1,255}$", var.run_metrics_namespace)) && !startswith(var.run_metrics_namespace, "AWS/")
    error_message = "run_metrics_namespace is ${jsonencode(var.run_metrics_namespace)}: take letters, digits and .-_/#:, up to 255, not beginning with AWS/, or null."
  }
}

variable "alarms" {
  description = "When to raise alarms, and whom to notify: an SNS topic, or e-mail addresses; null: no alarms."
  type = object({
    failed_executions = optional(number, 1)
    daily_spend_usd   = optional(number)
    topic_arn         = optional(string)
    emails            = optional(set(string), [])
  })
  default = {}
}

variable "queries" {
  description = "SQL over runs with Athena: the first day that queries look at, and how many gigabytes one can read; null: none. It costs nothing while nobody asks."
  type = object({
    first_day    = optional(string, "2026-01-01")
    max_query_gb = optional(number, 10)
  })
  default = null
}

variable "notifications" {
  description = <<-EOT
    Notifications of runs (docs/notify.md); null: none. With {}, a function reads the secrets that definitions name below `notify`
    and sends; every five minutes it looks for what wasn't taken. `console_url` is where they link to. Topics, event
    buses and identities of SES can be used by definitions of all projects; others can't be.
  EOT
  type = object({
    console_url       = optional(string)
    topic_arns        = optional(list(string), [])
    event_bus_arns    = optional(list(string), [])
    ses_identity_arns = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.notifications == null ? true : var.notifications.console_url == null ? true : can(regex("^https?://[^[:space:]]+$", var.notifications.console_url))
    error_message = "notifications.console_url is \"${var.notifications == null ? "" : coalesce(var.notifications.console_url, "null")}\": take a URL that begins with https://, or null."
  }

  validation {
    condition     = var.notifications == null ? true : alltrue([for arn in var.notifications.topic_arns : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$", arn))])
    error_message = "notifications.topic_arns has [${var.notifications == null ? "" : join(", ", var.notifications.topic_arns)}]: take ARNs of topics, such as arn:aws:sns:eu-west-1:123456789012:load-tests."
  }

  validation {
    condition     = var.notifications == null ? true : alltrue([for arn in var.notifications.event_bus_arns : can(regex("^arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9_./-]+$", arn))])
    error_message = "notifications.event_bus_arns has [${var.notifications == null ? "" : join(", ", var.notifications.event_bus_arns)}]: take ARNs of event buses, such as arn:aws:events:eu-west-1:123456789012:event-bus/default."
  }

  validation {
    condition     = var.notifications == null ? true : alltrue([for arn in var.notifications.ses_identity_arns : can(regex("^arn:aws[a-z-]*:ses:[a-z0-9-]+:[0-9]{12}:identity/[^*?]+$", arn))])
    error_message = "notifications.ses_identity_arns has [${var.notifications == null ? "" : join(", ", var.notifications.ses_identity_arns)}]: take ARNs of identities, such as arn:aws:ses:eu-west-1:123456789012:identity/example.com."
  }
}

variable "api" {
  description = <<-EOT
    HTTP API over the stack (docs/api.md); null: none. `package` is the path of the zip created by `cargo xtask package`, such as
    target/package/api-arm64.zip. `issuers` are identity providers whose JWTs are accepted, with the claims that give a role;
    `iam` gives roles to callers who sign their requests. `console_origins` are the places, such as https://console.example, of the
    console's files (docs/console.md), whose pages may read the API.
  EOT
  type = object({
    package = string
    issuers = optional(list(object({
      name      = string
      issuer    = string
      audiences = list(string)
      jwks      = string
      principal = optional(string, "sub")
      rules = list(object({
        when    = map(string)
        project = string
        role    = string
      }))
    })), [])
    iam = optional(list(object({
      principal = string
      project   = string
      role      = string
    })), [])
    requests_per_second = optional(number, 20)
    console_origins     = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.api == null ? true : alltrue([for role in concat([for rule in var.api.iam : rule.role], flatten([for issuer in var.api.issuers : [for rule in issuer.rules : rule.role]])) : contains(["viewer", "tester", "admin"], role)])
    error_message = "api has the roles ${var.api == null ? "" : join(", ", distinct(concat([for rule in var.api.iam : rule.role], flatten([for issuer in var.api.issuers : [for rule in issuer.rules : rule.role]]))))}: take viewer, tester or admin."
  }

  validation {
    condition     = var.api == null ? true : alltrue([for issuer in var.api.issuers : startswith(issuer.jwks, "https://") && length(issuer.audiences) > 0 && alltrue([for rule in issuer.rules : length(rule.when) > 0])])
    error_message = "api.issuers has [${var.api == null ? "" : join(", ", [for issuer in var.api.issuers : "${issuer.name} (${issuer.jwks})"])}]: each needs jwks (https://…), at least one audience, and at least one claim below `when` of each rule; else everybody with a token of the issuer would have the role."
  }

  validation {
    condition     = var.api == null ? true : alltrue([for origin in var.api.console_origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "api.console_origins has ${var.api == null ? "" : join(", ", var.api.console_origins)}: take scheme and host of each, such as https://console.example, without a path."
  }

  validation {
    condition     = var.api == null ? true : var.api.requests_per_second >= 1 && var.api.requests_per_second <= 1000
    error_message = "api.requests_per_second is ${var.api == null ? 0 : var.api.requests_per_second}: take 1 to 1000."
  }
}

variable "bucket_name" {
  description = "Name of the bucket; null: {name}-{account}-{region}."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "ARN of a customer managed key for bucket, table and images; null: the services' own keys, which are free."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn is \"${coalesce(var.kms_key_arn, "null")}\": take the key's ARN (arn:aws:kms:…:key/…), not an alias."
  }
}

variable "versioning" {
  description = "Keep overwritten and deleted objects of the bucket for one day."
  type        = bool
  default     = false
}

variable "raw_data_days" {
  description = "Days after which shards and live objects expire. Summaries, reports and merged series stay."
  type        = number
  default     = 30
}

variable "results_days" {
  description = "Days after which all objects expire, including summaries and definitions; null: never."
  type        = number
  default     = null
}

variable "log_level" {
  description = "Log level of the functions: error, warn, info or debug."
  type        = string
  default     = "info"
}

variable "log_retention_days" {
  description = "Retention of logs, in days."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}: CloudWatch Logs knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653."
  }
}

variable "tracing" {
  description = "Trace runs with X-Ray."
  type        = bool
  default     = false
}

variable "container_insights" {
  description = "Enable CloudWatch Container Insights on the clusters: metrics of every task, billed as custom metrics."
  type        = bool
  default     = false
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete results, records and images. For trial stacks."
  type        = bool
  default     = false
}

variable "emulator_endpoint" {
  description = "URL of an emulator such as MiniStack: tasks run on the host's network with the launch type EC2, and no VPC is created. Omit on AWS."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for all resources that support them, in addition to floodgate:stack; activate them as cost allocation tags to see the stack's cost."
  type        = map(string)
  default     = {}
  nullable    = false
}
