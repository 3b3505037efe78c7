# The generators: a repository for each engine's image, and a task definition for each engine, architecture and region.

locals {
  # One entry a region, engine and architecture.
  task_definitions = merge([
    for region, group in var.log_groups : {
      for pair in flatten([
        for engine, generator in var.engines : [
          for architecture in generator.architectures : { engine = engine, architecture = architecture }
        ]
      ]) :
      "${region}/${pair.engine}/${pair.architecture}" => merge(pair, { region = region, log_group = group.name })
    }
  ]...)

  # A digest, where there is one, says exactly what runs; a tag of an immutable repository nearly so.
  images = {
    for engine, generator in var.engines : engine => generator.image != null ? generator.image : join(
      generator.digest == null ? ":" : "@",
      [aws_ecr_repository.this[engine].repository_url, generator.digest == null ? generator.tag : generator.digest],
    )
  }

  emulated = var.emulator_endpoint != null
}

resource "aws_ecr_repository" "this" {
  for_each = { for engine, generator in var.engines : engine => generator if generator.image == null }

  name                 = "${var.name}/generator-${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_destroy
  tags                 = var.tags

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "What lost its tag is of no use after a week"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "The newest images, to go back to"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.images_kept }
        action       = { type = "expire" }
      },
    ]
  })
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.task_definitions

  region                   = each.value.region
  family                   = "${var.name}-generator-${each.value.engine}-${each.value.architecture}"
  requires_compatibilities = [local.emulated ? "EC2" : "FARGATE"]
  network_mode             = local.emulated ? "host" : "awsvpc"
  # Launch hands each task the role of its project: without that a task may do nothing.
  execution_role_arn = aws_iam_role.execution.arn
  # What a run asks for overrides these two.
  cpu    = var.cpu
  memory = var.memory_mb
  tags   = merge(var.tags, { Engine = each.value.engine })

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = each.value.architecture == "arm64" ? "ARM64" : "X86_64"
  }

  container_definitions = jsonencode([merge(
    {
      name      = "generator"
      image     = local.images[each.value.engine]
      essential = true
      # The container sees this limit, and not the task's; what a run asks for overrides it as well.
      memory = var.memory_mb
      # The most that Fargate grants. Two minutes are what Spot gives, too: enough to write the last shards.
      stopTimeout = 120
      # The root file system stays writable: it holds the spool while S3 cannot be reached.
      readonlyRootFilesystem = false
      environment            = local.emulated ? [{ name = "AWS_ENDPOINT_URL", value = var.emulator_endpoint }] : []
      mountPoints            = []
      portMappings           = []
      systemControls         = []
      volumesFrom            = []
    },
    local.emulated ? {} : {
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = each.value.log_group
          awslogs-region        = each.value.region
          awslogs-stream-prefix = each.value.engine
          # Load generation never waits for CloudWatch.
          mode            = "non-blocking"
          max-buffer-size = "4m"
        }
      }
    },
  )])
}
