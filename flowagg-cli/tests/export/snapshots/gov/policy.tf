# The bucket policy

locals {
  bucket_policy = {
    Statement = [
      {
        Action = "s3:PutObject"
        Condition = {
          StringEqualsIfExists = {
            "s3:x-amz-acl" = "bucket-owner-full-control"
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = "arn:aws-us-gov:s3:::acme-gov-flow-logs/AWSLogs/$${aws:SourceAccount}/*"
        Sid      = "AWSLogDeliveryWriteFlowaggAcmeGovFlowLogs"
      },
      {
        Action = "s3:GetBucketAcl"
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = "arn:aws-us-gov:s3:::acme-gov-flow-logs"
        Sid      = "AWSLogDeliveryAclCheckFlowaggAcmeGovFlowLogs"
      },
      {
        Action = "s3:*"
        Condition = {
          StringNotEquals = {
            "aws:SourceAccount" = "222222222222"
          }
        }
        Effect = "Deny"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = [
          "arn:aws-us-gov:s3:::acme-gov-flow-logs",
          "arn:aws-us-gov:s3:::acme-gov-flow-logs/*",
        ]
        Sid = "DenyOtherAccountsFlowaggAcmeGovFlowLogs"
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
