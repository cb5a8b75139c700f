# The bucket policy

locals {
  bucket_policy = {
    Statement = [
      {
        Action = "s3:PutObject"
        Condition = {
          ArnLike = {
            "aws:SourceArn" = [
              "arn:aws:logs:us-west-2:012345678901:*",
              "arn:aws:logs:us-west-2:222222222222:*",
            ]
          }
          StringEquals = {
            "aws:SourceAccount" = [
              "012345678901",
              "222222222222",
            ]
            "s3:x-amz-acl" = "bucket-owner-full-control"
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = "arn:aws:s3:::acme-logs/network/flows/AWSLogs/aws-account-id=$${aws:SourceAccount}/*"
        Sid      = "AWSLogDeliveryWriteFlowagg04d4c9301"
      },
      {
        Action = [
          "s3:GetBucketAcl",
          "s3:ListBucket",
        ]
        Condition = {
          ArnLike = {
            "aws:SourceArn" = [
              "arn:aws:logs:us-west-2:012345678901:*",
              "arn:aws:logs:us-west-2:222222222222:*",
            ]
          }
          StringEquals = {
            "aws:SourceAccount" = [
              "012345678901",
              "222222222222",
            ]
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = "arn:aws:s3:::acme-logs"
        Sid      = "AWSLogDeliveryAclCheckFlowagg04d4c9301"
      },
      {
        Action = "s3:*"
        Condition = {
          Bool = {
            "aws:SecureTransport" = "false"
          }
        }
        Effect    = "Deny"
        Principal = "*"
        Resource = [
          "arn:aws:s3:::acme-logs",
          "arn:aws:s3:::acme-logs/*",
        ]
        Sid = "DenyInsecureTransportFlowagg04d4c9301"
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
