# The bucket policy

locals {
  bucket_policy = {
    Statement = [
      {
        Action = "s3:PutObject"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = [
              "111122223333",
              "222222222222",
            ]
            "s3:x-amz-acl" = "bucket-owner-full-control"
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = [
          "arn:aws:s3:::acme-flow-logs/AWSLogs/111122223333/*",
          "arn:aws:s3:::acme-flow-logs/AWSLogs/222222222222/*",
        ]
        Sid = "AWSLogDeliveryWriteFlowaggAcmeFlowLogs"
      },
      {
        Action = "s3:GetBucketAcl"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = [
              "111122223333",
              "222222222222",
            ]
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = "arn:aws:s3:::acme-flow-logs"
        Sid      = "AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs"
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
