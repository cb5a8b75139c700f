-- Creates the table of all flow logs in the bucket. Run this second.
CREATE EXTERNAL TABLE IF NOT EXISTS `flowagg`.`vpc_flow_logs` (
  `version` int,
  `account_id` string,
  `region` string,
  `vpc_id` string,
  `pkt_srcaddr` string,
  `pkt_dstaddr` string,
  `action` string
)
PARTITIONED BY (
  `log_account` string,
  `log_region` string,
  `log_year` string,
  `log_month` string,
  `log_day` string,
  `log_hour` string
)
ROW FORMAT SERDE "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
STORED AS INPUTFORMAT "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
OUTPUTFORMAT "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
LOCATION "s3://acme-logs/network/flows/AWSLogs/"
TBLPROPERTIES (
  "projection.enabled" = "true",
  "projection.log_account.type" = "enum",
  "projection.log_account.values" = "012345678901,222222222222",
  "projection.log_region.type" = "enum",
  "projection.log_region.values" = "us-west-2",
  "projection.log_year.type" = "date",
  "projection.log_year.format" = "yyyy",
  "projection.log_year.range" = "NOW-2YEARS,NOW",
  "projection.log_year.interval" = "1",
  "projection.log_year.interval.unit" = "YEARS",
  "projection.log_month.type" = "integer",
  "projection.log_month.range" = "1,12",
  "projection.log_month.digits" = "2",
  "projection.log_day.type" = "integer",
  "projection.log_day.range" = "1,31",
  "projection.log_day.digits" = "2",
  "projection.log_hour.type" = "integer",
  "projection.log_hour.range" = "0,23",
  "projection.log_hour.digits" = "2",
  "storage.location.template" = "s3://acme-logs/network/flows/AWSLogs/aws-account-id=${log_account}/aws-service=vpcflowlogs/aws-region=${log_region}/year=${log_year}/month=${log_month}/day=${log_day}/hour=${log_hour}/"
)
