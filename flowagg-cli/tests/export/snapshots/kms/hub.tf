# The bucket that receives all flow logs

resource "aws_s3_bucket" "flow_logs" {
  provider = aws.hub

  bucket = "acme-logs"

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "flow_logs" {
  provider = aws.hub

  bucket = aws_s3_bucket.flow_logs.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "flow_logs" {
  provider = aws.hub

  bucket = aws_s3_bucket.flow_logs.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "flow_logs" {
  provider = aws.hub

  bucket = aws_s3_bucket.flow_logs.id

  rule {
    bucket_key_enabled = false

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "flow_logs" {
  provider = aws.hub

  bucket = aws_s3_bucket.flow_logs.id

  rule {
    id     = "flowagg-expiry/acme-logs-06a866e6/network/flows/AWSLogs"
    status = "Enabled"

    filter {
      prefix = "network/flows/AWSLogs/"
    }

    expiration {
      days = 400
    }

    transition {
      days          = 60
      storage_class = "STANDARD_IA"
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 3
    }
  }
}
