-- Bytes by account and day (UTC).
SELECT
  log_account,
  replace(log_date, '/', '-') AS day,
  sum(bytes) AS total_bytes,
  sum(packets) AS total_packets,
  count(*) AS records
FROM "flowagg"."vpc_flow_logs"
WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
  AND bytes IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2
