# The bucket policy

locals {
  bucket_policy = {
    Statement = [
      {
        Action = "s3:PutObject"
        Condition = {
          ArnLike = {
            "aws:SourceArn" = "arn:aws-cn:logs:cn-north-1:222222222222:*"
          }
          StringEquals = {
            "aws:SourceAccount" = "222222222222"
            "s3:x-amz-acl"      = "bucket-owner-full-control"
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = "arn:aws-cn:s3:::acme-cn-flow-logs/AWSLogs/aws-account-id=222222222222/*"
        Sid      = "AWSLogDeliveryWriteFlowaggAcmeCnFlowLogs"
      },
      {
        Action = "s3:GetBucketAcl"
        Condition = {
          ArnLike = {
            "aws:SourceArn" = "arn:aws-cn:logs:cn-north-1:222222222222:*"
          }
          StringEquals = {
            "aws:SourceAccount" = "222222222222"
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "delivery.logs.amazonaws.com"
        }
        Resource = "arn:aws-cn:s3:::acme-cn-flow-logs"
        Sid      = "AWSLogDeliveryAclCheckFlowaggAcmeCnFlowLogs"
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
