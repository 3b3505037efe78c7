# SQL over the runs of a stack: a table for Athena whose partitions follow from the query, and prepared statements. It costs nothing
# while nobody asks; a query costs by what it reads.

locals {
  # Neither Glue nor the statements of Athena take hyphens.
  database = replace(var.name, "-", "_")

  # Of crates/core/src/buckets; docs/sql.md says what they mean.
  columns = [
    { name = "execution", type = "string" },
    { name = "started_ms", type = "timestamp" },
    { name = "metric", type = "string" },
    { name = "kind", type = "string" },
    { name = "scenario", type = "string" },
    { name = "grp", type = "string" },
    { name = "name", type = "string" },
    { name = "method", type = "string" },
    { name = "status", type = "string" },
    { name = "error_code", type = "string" },
    { name = "tags", type = "map<string,string>" },
    { name = "lower_us", type = "bigint" },
    { name = "upper_us", type = "bigint" },
    { name = "count", type = "bigint" },
    { name = "sum", type = "double" },
    { name = "min", type = "double" },
    { name = "max", type = "double" },
    { name = "last_ms", type = "timestamp" },
    { name = "version", type = "string" },
    { name = "revision", type = "string" },
    { name = "verdict", type = "string" },
    { name = "duration_s", type = "double" },
  ]

  statements = ["percentile", "error_rate", "throughput", "compare_runs"]
}

resource "aws_glue_catalog_database" "this" {
  name        = local.database
  description = "Floodgate ${var.name}: what runs measured"
  tags        = var.tags
}

resource "aws_glue_catalog_table" "buckets" {
  database_name = aws_glue_catalog_database.this.name
  name          = "buckets"
  description   = "Buckets of trends and sums of other series, by run"
  table_type    = "EXTERNAL_TABLE"

  # Projects and tests are not known here: a query names them, and reads no others.
  # https://docs.aws.amazon.com/athena/latest/ug/partition-projection-dynamic-id-partitioning.html
  parameters = {
    EXTERNAL                    = "TRUE"
    classification              = "parquet"
    "projection.enabled"        = "true"
    "projection.project.type"   = "injected"
    "projection.test.type"      = "injected"
    "projection.day.type"       = "date"
    "projection.day.format"     = "yyyy-MM-dd"
    "projection.day.range"      = "${var.first_day},NOW"
    "projection.day.interval"   = "1"
    "projection.day.unit"       = "DAYS"
    "storage.location.template" = "s3://${var.bucket}/projects/$${project}/buckets/$${test}/$${day}/"
  }

  dynamic "partition_keys" {
    for_each = ["project", "test", "day"]

    content {
      name = partition_keys.value
      type = "string"
    }
  }

  storage_descriptor {
    location      = "s3://${var.bucket}/projects/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    }

    dynamic "columns" {
      for_each = local.columns

      content {
        name = columns.value.name
        type = columns.value.type
      }
    }
  }
}

resource "aws_athena_workgroup" "this" {
  name          = var.name
  description   = "Queries over runs of Floodgate ${var.name}"
  force_destroy = true
  tags          = var.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = false
    bytes_scanned_cutoff_per_query     = var.max_query_gb * 1000000000

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    # Copies, which a rule of the bucket removes after a week.
    result_configuration {
      output_location = "s3://${var.bucket}/queries/"

      encryption_configuration {
        encryption_option = var.kms_key_arn == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}

resource "aws_athena_prepared_statement" "this" {
  for_each = toset(local.statements)

  name            = each.key
  description     = "docs/sql.md has the parameters"
  workgroup       = aws_athena_workgroup.this.name
  query_statement = replace(file("${path.module}/../../../infra/sql/athena/${each.key}.sql"), "FROM buckets", "FROM ${local.database}.buckets")
}
