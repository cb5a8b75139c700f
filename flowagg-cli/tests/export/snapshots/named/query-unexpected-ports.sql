-- Accepted traffic to ports of services at which nothing is expected; answers to callers are left out.
SELECT
  log_account,
  dstport,
  protocol,
  sum(bytes) AS total_bytes,
  sum(packets) AS total_packets,
  count(*) AS records,
  count(DISTINCT srcaddr) AS sources
FROM "flowagg"."vpc_flow_logs"
WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
  AND protocol IN (6, 17)
  AND dstport < 32768
  AND dstport < srcport
  AND dstport NOT IN (53, 80, 123, 443)
  AND action = 'ACCEPT'
GROUP BY log_account, dstport, protocol
ORDER BY total_bytes DESC, log_account, dstport, protocol
LIMIT 100
