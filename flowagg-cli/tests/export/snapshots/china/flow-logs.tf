# The flow logs of every account-region

resource "aws_flow_log" "vpcs_222222222222_cn_north_1" {
  provider = aws.account_222222222222_cn_north_1
  for_each = toset(["vpc-0a1b2c3d4e5f67890"])

  vpc_id                   = each.value
  log_destination          = aws_s3_bucket.flow_logs.arn
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-cn-flow-logs"
    managed-by      = "flowagg"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = true
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}
