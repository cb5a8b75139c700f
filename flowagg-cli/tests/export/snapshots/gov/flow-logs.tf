# The flow logs of every account-region

resource "aws_flow_log" "network_interfaces_222222222222_us_gov_west_1" {
  provider = aws.account_222222222222_us_gov_west_1
  for_each = toset(["eni-0a1b2c3d4e5f67890"])

  eni_id                   = each.value
  log_destination          = aws_s3_bucket.flow_logs.arn
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-gov-flow-logs"
    managed-by      = "flowagg"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}
