# The flow logs of every account-region

resource "aws_flow_log" "vpcs_111122223333_eu_west_1" {
  provider = aws.hub
  for_each = toset([
    "vpc-0a1b2c3d4e5f67890",
    "vpc-1a2b3c4d",
  ])

  vpc_id                   = each.value
  log_destination          = aws_s3_bucket.flow_logs.arn
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-flow-logs"
    managed-by      = "flowagg"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}

resource "aws_flow_log" "transit_gateways_111122223333_eu_west_1" {
  provider = aws.hub
  for_each = toset(["tgw-0a1b2c3d4e5f67890"])

  transit_gateway_id       = each.value
  log_destination          = aws_s3_bucket.flow_logs.arn
  log_destination_type     = "s3"
  max_aggregation_interval = 60
  tags = {
    "flowagg:fleet" = "acme-flow-logs"
    managed-by      = "flowagg"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}

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
  log_destination          = aws_s3_bucket.flow_logs.arn
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-flow-logs"
    managed-by      = "flowagg"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}

data "aws_vpcs" "vpcs_222222222222_us_east_1" {
  provider = aws.account_222222222222_us_east_1

  filter {
    name   = "owner-id"
    values = ["222222222222"]
  }
}

resource "aws_flow_log" "vpcs_222222222222_us_east_1" {
  provider = aws.account_222222222222_us_east_1
  for_each = toset(data.aws_vpcs.vpcs_222222222222_us_east_1.ids)

  vpc_id                   = each.value
  log_destination          = aws_s3_bucket.flow_logs.arn
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-flow-logs"
    managed-by      = "flowagg"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}
