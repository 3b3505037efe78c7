# One bucket and one table: everything that a run leaves behind, and all that costs anything while none runs.

resource "aws_s3_bucket" "this" {
  bucket        = var.bucket_name
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # A bucket key spares one KMS request an object, of which a long run writes hundreds of thousands.
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

# Without versioning there is no such resource: what a bucket that never had versions is, and nothing that it could be told.
# When it goes, the provider suspends versioning.
resource "aws_s3_bucket_versioning" "this" {
  count = var.versioning ? 1 : 0

  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "DenyPlainText"
      Effect    = "Deny"
      Principal = "*"
      # A denial names every action on purpose: nothing may pass without TLS.
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# A rule of a lifecycle filters by prefix, size or tag, and `projects/{project}/executions/{id}/shards/` has no common
# prefix. So a generator gives shards and live objects the tag that is named here; definitions, plans, summaries, reports
# and the merged series carry none and stay.
# Filters: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-filters.html
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  rule {
    id     = "expire-raw-data"
    status = "Enabled"

    filter {
      tag {
        key   = "floodgate"
        value = "raw"
      }
    }

    expiration {
      days = var.raw_data_days
    }
  }

  dynamic "rule" {
    for_each = var.results_days == null ? [] : [var.results_days]

    content {
      id     = "expire-results"
      status = "Enabled"

      filter {
        prefix = "projects/"
      }

      expiration {
        days = rule.value
      }
    }
  }

  # What Athena found: copies of what lies below projects/.
  rule {
    id     = "expire-query-results"
    status = "Enabled"

    filter {
      prefix = "queries/"
    }

    expiration {
      days = 7
    }
  }

  # Dead letters: nobody has asked for them by then.
  rule {
    id     = "expire-notifications"
    status = "Enabled"

    filter {
      prefix = "notifications/"
    }

    expiration {
      days = 90
    }
  }

  # Also without versioning: a bucket that had it once keeps its old versions otherwise.
  rule {
    id     = "expire-old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_dynamodb_table" "this" {
  name                        = var.table_name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "PK"
  range_key                   = "SK"
  deletion_protection_enabled = var.deletion_protection
  tags                        = var.tags

  dynamic "attribute" {
    for_each = toset(["PK", "SK", "GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK"])

    content {
      name = attribute.value
      type = "S"
    }
  }

  # Runs of one test, newest last.
  global_secondary_index {
    name            = "GSI1"
    projection_type = "ALL"

    key_schema {
      attribute_name = "GSI1PK"
      key_type       = "HASH"
    }

    key_schema {
      attribute_name = "GSI1SK"
      key_type       = "RANGE"
    }
  }

  # All runs, newest last, and the look-up of a shortened id.
  global_secondary_index {
    name            = "GSI2"
    projection_type = "ALL"

    key_schema {
      attribute_name = "GSI2PK"
      key_type       = "HASH"
    }

    key_schema {
      attribute_name = "GSI2SK"
      key_type       = "RANGE"
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  # `enabled = false` is not "no encryption" but the key that DynamoDB owns, which costs nothing.
  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }
}
