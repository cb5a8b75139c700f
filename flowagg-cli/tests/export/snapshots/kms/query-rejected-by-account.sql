-- Rejected traffic, by account and region.
SELECT
  log_account,
  log_region,
  count(*) AS records
FROM "flowagg"."vpc_flow_logs"
WHERE log_year = date_format(current_date - interval '1' day, '%Y')
  AND log_month = date_format(current_date - interval '1' day, '%m')
  AND log_day = date_format(current_date - interval '1' day, '%d')
  AND action = 'REJECT'
GROUP BY log_account, log_region
ORDER BY records DESC, log_account, log_region
