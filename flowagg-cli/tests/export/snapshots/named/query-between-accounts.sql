-- Traffic between accounts, VPCs or regions. Reads yesterday's logs (UTC). `flowagg query between-accounts --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, srcport, dstport, protocol, bytes, nullif(action, '-') AS action, CAST(NULL AS varchar) AS flow_direction
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
),
ends AS (
  SELECT log_account AS place, srcaddr, dstaddr, srcport, dstport, protocol,
    greatest(coalesce(sum(CASE WHEN flow_direction = 'egress' OR flow_direction IS NULL THEN bytes END), 0),
    coalesce(sum(CASE WHEN flow_direction = 'ingress' OR flow_direction IS NULL THEN bytes END), 0)) AS bytes
  FROM logs
  WHERE bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL AND (action IS NULL OR action <> 'REJECT') AND log_account IS NOT NULL
  GROUP BY log_account, srcaddr, dstaddr, srcport, dstport, protocol
),
flows AS (
  SELECT min(place) AS one, max(place) AS other, max(bytes) AS bytes
  FROM ends
  GROUP BY srcaddr, dstaddr, srcport, dstport, protocol
  HAVING count(*) = 2
)
SELECT one AS account, other AS other_account, sum(bytes) AS bytes, count(*) AS flows
FROM flows
GROUP BY one, other
ORDER BY bytes DESC NULLS LAST, account NULLS LAST, other_account NULLS LAST
