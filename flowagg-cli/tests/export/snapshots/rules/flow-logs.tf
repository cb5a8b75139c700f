# The flow logs of every account-region

data "aws_vpcs" "vpcs_111122223333_eu_west_1" {
  provider = aws.hub

  filter {
    name   = "owner-id"
    values = ["111122223333"]
  }
}

resource "aws_flow_log" "vpcs_111122223333_eu_west_1" {
  provider = aws.hub
  for_each = toset(data.aws_vpcs.vpcs_111122223333_eu_west_1.ids)

  vpc_id                   = each.value
  log_destination          = "${aws_s3_bucket.flow_logs.arn}/network/"
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-flow-logs-8e157d37"
    "for"           = "all"
    "größe"         = "1"
    managed-by      = "flowagg"
    owner           = "$${net} %%{work}"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}

data "aws_vpcs" "vpcs_111122223333_us_east_1" {
  provider = aws.account_111122223333_us_east_1

  filter {
    name   = "owner-id"
    values = ["111122223333"]
  }
}

resource "aws_flow_log" "vpcs_111122223333_us_east_1" {
  provider = aws.account_111122223333_us_east_1
  for_each = toset(data.aws_vpcs.vpcs_111122223333_us_east_1.ids)

  vpc_id                   = each.value
  log_destination          = "${aws_s3_bucket.flow_logs.arn}/network/"
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-flow-logs-8e157d37"
    "for"           = "all"
    "größe"         = "1"
    managed-by      = "flowagg"
    owner           = "$${net} %%{work}"
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

  tags = {
    "Cost Center" = "a\\*b\\?\\\\c"
    env           = "prod"
  }

  filter {
    name   = "owner-id"
    values = ["222222222222"]
  }

  filter {
    name   = "is-default"
    values = ["false"]
  }
}

resource "aws_flow_log" "vpcs_222222222222_eu_west_1" {
  provider = aws.account_222222222222_eu_west_1
  for_each = setsubtract(data.aws_vpcs.vpcs_222222222222_eu_west_1.ids, [
    "vpc-0a1b2c3d4e5f67890",
    "vpc-1a2b3c4d",
  ])

  vpc_id                   = each.value
  log_destination          = "${aws_s3_bucket.flow_logs.arn}/network/"
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-flow-logs-8e157d37"
    "for"           = "all"
    "größe"         = "1"
    managed-by      = "flowagg"
    owner           = "$${net} %%{work}"
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

  tags = {
    "Cost Center" = "a\\*b\\?\\\\c"
    env           = "prod"
  }

  filter {
    name   = "owner-id"
    values = ["222222222222"]
  }

  filter {
    name   = "is-default"
    values = ["false"]
  }
}

resource "aws_flow_log" "vpcs_222222222222_us_east_1" {
  provider = aws.account_222222222222_us_east_1
  for_each = setsubtract(data.aws_vpcs.vpcs_222222222222_us_east_1.ids, [
    "vpc-0a1b2c3d4e5f67890",
    "vpc-1a2b3c4d",
  ])

  vpc_id                   = each.value
  log_destination          = "${aws_s3_bucket.flow_logs.arn}/network/"
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-flow-logs-8e157d37"
    "for"           = "all"
    "größe"         = "1"
    managed-by      = "flowagg"
    owner           = "$${net} %%{work}"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}

data "aws_subnets" "subnets_333333333333_eu_west_1" {
  provider = aws.account_333333333333_eu_west_1

  tags = {
    tier = "public"
  }

  filter {
    name   = "owner-id"
    values = ["333333333333"]
  }
}

resource "aws_flow_log" "subnets_333333333333_eu_west_1" {
  provider = aws.account_333333333333_eu_west_1
  for_each = setsubtract(data.aws_subnets.subnets_333333333333_eu_west_1.ids, ["subnet-0a1b2c3d4e5f67890"])

  subnet_id                = each.value
  log_destination          = "${aws_s3_bucket.flow_logs.arn}/network/"
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-flow-logs-8e157d37"
    "for"           = "all"
    "größe"         = "1"
    managed-by      = "flowagg"
    owner           = "$${net} %%{work}"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}

data "aws_network_interfaces" "network_interfaces_444444444444_eu_west_1" {
  provider = aws.account_444444444444_eu_west_1

  filter {
    name   = "owner-id"
    values = ["444444444444"]
  }
}

resource "aws_flow_log" "network_interfaces_444444444444_eu_west_1" {
  provider = aws.account_444444444444_eu_west_1
  for_each = toset(data.aws_network_interfaces.network_interfaces_444444444444_eu_west_1.ids)

  eni_id                   = each.value
  log_destination          = "${aws_s3_bucket.flow_logs.arn}/network/"
  log_destination_type     = "s3"
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${srcport} $${dstport} $${protocol} $${packets} $${bytes} $${start} $${end} $${action} $${log-status}"
  tags = {
    "flowagg:fleet" = "acme-flow-logs-8e157d37"
    "for"           = "all"
    "größe"         = "1"
    managed-by      = "flowagg"
    owner           = "$${net} %%{work}"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}

resource "aws_flow_log" "transit_gateways_444444444444_eu_west_1" {
  provider = aws.account_444444444444_eu_west_1
  for_each = toset(["tgw-0a1b2c3d4e5f67890"])

  transit_gateway_id       = each.value
  log_destination          = "${aws_s3_bucket.flow_logs.arn}/network/"
  log_destination_type     = "s3"
  max_aggregation_interval = 60
  tags = {
    "flowagg:fleet" = "acme-flow-logs-8e157d37"
    "for"           = "all"
    "größe"         = "1"
    managed-by      = "flowagg"
    owner           = "$${net} %%{work}"
  }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}
