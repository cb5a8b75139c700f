-- Creates the table of all flow logs in the bucket. Run this second.
CREATE EXTERNAL TABLE IF NOT EXISTS `flowagg`.`vpc_flow_logs` (
  `version` int,
  `account_id` string,
  `interface_id` string,
  `srcaddr` string,
  `dstaddr` string,
  `srcport` int,
  `dstport` int,
  `protocol` bigint,
  `packets` bigint,
  `bytes` bigint,
  `start` bigint,
  `end` bigint,
  `action` string,
  `log_status` string
)
PARTITIONED BY (
  `log_account` string,
  `log_region` string,
  `log_date` string
)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '
LOCATION "s3://acme-flow-logs-111122223333-eu-west-1-an/network/AWSLogs/"
TBLPROPERTIES (
  "skip.header.line.count" = "1",
  "projection.enabled" = "true",
  "projection.log_account.type" = "enum",
  "projection.log_account.values" = "222222222222",
  "projection.log_region.type" = "enum",
  "projection.log_region.values" = "eu-west-1",
  "projection.log_date.type" = "date",
  "projection.log_date.format" = "yyyy/MM/dd",
  "projection.log_date.range" = "NOW-91DAYS,NOW",
  "projection.log_date.interval" = "1",
  "projection.log_date.interval.unit" = "DAYS",
  "storage.location.template" = "s3://acme-flow-logs-111122223333-eu-west-1-an/network/AWSLogs/${log_account}/vpcflowlogs/${log_region}/${log_date}/"
)
