# The flow logs of every account-region

resource "aws_flow_log" "subnets_012345678901_us_west_2" {
  provider = aws.account_012345678901_us_west_2
  for_each = toset(["subnet-0a1b2c3d4e5f67890"])

  subnet_id                = each.value
  log_destination          = "${aws_s3_bucket.flow_logs.arn}/network/flows/"
  log_destination_type     = "s3"
  traffic_type             = "REJECT"
  max_aggregation_interval = 60
  log_format               = "$${version} $${account-id} $${region} $${vpc-id} $${pkt-srcaddr} $${pkt-dstaddr} $${action}"
  tags = {
    "a: b"          = "# 'quoted' \"twice\" \\"
    cost-center     = "0042"
    "flowagg:fleet" = "acme-logs-06a866e6"
    managed-by      = "flowagg"
    on              = "yes"
  }

  destination_options {
    file_format                = "parquet"
    hive_compatible_partitions = true
    per_hour_partition         = true
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}

data "aws_vpcs" "vpcs_222222222222_us_west_2" {
  provider = aws.account_222222222222_us_west_2

  filter {
    name   = "owner-id"
    values = ["222222222222"]
  }
}

resource "aws_flow_log" "vpcs_222222222222_us_west_2" {
  provider = aws.account_222222222222_us_west_2
  for_each = toset(data.aws_vpcs.vpcs_222222222222_us_west_2.ids)

  vpc_id                   = each.value
  log_destination          = "${aws_s3_bucket.flow_logs.arn}/network/flows/"
  log_destination_type     = "s3"
  traffic_type             = "REJECT"
  max_aggregation_interval = 60
  log_format               = "$${version} $${account-id} $${region} $${vpc-id} $${pkt-srcaddr} $${pkt-dstaddr} $${action}"
  tags = {
    "a: b"          = "# 'quoted' \"twice\" \\"
    cost-center     = "0042"
    "flowagg:fleet" = "acme-logs-06a866e6"
    managed-by      = "flowagg"
    on              = "yes"
  }

  destination_options {
    file_format                = "parquet"
    hive_compatible_partitions = true
    per_hour_partition         = true
  }

  depends_on = [aws_s3_bucket_policy.flow_logs]
}
