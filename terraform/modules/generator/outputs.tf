output "repository_urls" {
  description = "Repository URL by engine, to push its image to."
  value       = { for engine, repository in aws_ecr_repository.this : engine => repository.repository_url }
}

output "images" {
  description = "Image by engine, for engines with a repository created here, as named in the task definitions."
  value       = { for engine, generator in var.engines : engine => local.images[engine] if generator.image == null }
}

output "task_definitions" {
  description = "ARN of the task definition by region, engine and architecture, in the format of config/placement.json."
  value = {
    for region in keys(var.log_groups) : region => {
      for engine, generator in var.engines : engine => {
        for architecture in generator.architectures : architecture => aws_ecs_task_definition.this["${region}/${engine}/${architecture}"].arn
      }
    }
  }
}

output "task_role_arns" {
  description = "ARN by project of the generators' role."
  value       = { for project, role in aws_iam_role.task : project => role.arn }
}

output "task_role_names" {
  description = "Name by project of the generators' role, to attach your own policies."
  value       = { for project, role in aws_iam_role.task : project => role.name }
}

output "execution_role_arn" {
  description = "ARN of the role that pulls images and writes logs."
  value       = aws_iam_role.execution.arn
}
