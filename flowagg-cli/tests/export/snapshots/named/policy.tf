# The bucket policy

locals {
  bucket_policy = {
    Statement = [
      {
        Action = "s3:PutObject"
        Condition = {
          StringEquals = {
            "aws:SourceOrgID" = "o-a1b2c3d4e5"
            "s3:x-amz-acl"    = "bucket-owner-full-control"
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = "arn:aws:s3:::acme-flow-logs-111122223333-eu-west-1-an/network/AWSLogs/*"
        Sid      = "AWSLogDeliveryWriteFlowagg0456d879d"
      },
      {
        Action = "s3:GetBucketAcl"
        Condition = {
          StringEquals = {
            "aws:SourceOrgID" = "o-a1b2c3d4e5"
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = "arn:aws:s3:::acme-flow-logs-111122223333-eu-west-1-an"
        Sid      = "AWSLogDeliveryAclCheckFlowagg0456d879d"
      },
    ]
    Version = "2012-10-17"
  }
}

resource "aws_s3_bucket_policy" "flow_logs" {
  provider = aws.hub

  bucket = aws_s3_bucket.flow_logs.id
  policy = jsonencode(local.bucket_policy)
}
