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
              "333333333333",
              "444444444444",
            ]
            "s3:x-amz-acl" = "bucket-owner-full-control"
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = [
          "arn:aws:s3:::acme-flow-logs/network/AWSLogs/111122223333/*",
          "arn:aws:s3:::acme-flow-logs/network/AWSLogs/222222222222/*",
          "arn:aws:s3:::acme-flow-logs/network/AWSLogs/333333333333/*",
          "arn:aws:s3:::acme-flow-logs/network/AWSLogs/444444444444/*",
        ]
        Sid = "AWSLogDeliveryWriteFlowagg040c29734"
      },
      {
        Action = "s3:GetBucketAcl"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = [
              "111122223333",
              "222222222222",
              "333333333333",
              "444444444444",
            ]
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = "arn:aws:s3:::acme-flow-logs"
        Sid      = "AWSLogDeliveryAclCheckFlowagg040c29734"
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
