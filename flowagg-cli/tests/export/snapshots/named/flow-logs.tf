# The flow logs of every account-region

data "aws_vpcs" "vpcs_222222222222_eu_west_1" {
  provider = aws.account_222222222222_eu_west_1

  filter {
    name   = "owner-id"
    values = ["222222222222"]
  }
}

resource "aws_flow_log" "vpcs_222222222222_eu_west_1" {
  provider = aws.account_222222222222_eu_west_1
  for_each = toset(data.aws_vpcs.vpcs_222222222222_eu_west_1.ids)

  vpc_id                   = each.value
  log_destination          = "${aws_s3_bucket.flow_logs.arn}/network/"
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-flow-logs-111122223333-eu-west-1-an-8e157d37"
    managed-by      = "flowagg"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}
