-- Rejected traffic, by account and region.
SELECT
  log_account,
  log_region,
  sum(bytes) AS total_bytes,
  sum(packets) AS total_packets,
  count(*) AS records
FROM "flowagg"."vpc_flow_logs"
WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
  AND action = 'REJECT'
GROUP BY log_account, log_region
ORDER BY records DESC, log_account, log_region
