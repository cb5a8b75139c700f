-- Pairs of addresses by bytes. Reads yesterday's logs (UTC). `flowagg query pairs --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, bytes, nullif(action, '-') AS action, CAST(NULL AS varchar) AS flow_direction
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
),
sections AS (
  SELECT srcaddr AS source, dstaddr AS destination,
    greatest(coalesce(sum(CASE WHEN flow_direction = 'egress' OR flow_direction IS NULL THEN bytes END), 0),
    coalesce(sum(CASE WHEN flow_direction = 'ingress' OR flow_direction IS NULL THEN bytes END), 0)) AS bytes,
    count(flow_direction) < count(*) AS both_ends
  FROM logs
  WHERE bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL
    AND (action IS NULL OR action <> 'REJECT')
  GROUP BY srcaddr, dstaddr
)
SELECT source, destination, max(bytes) AS bytes, bool_or(both_ends) AS both_ends
FROM sections
GROUP BY source, destination
ORDER BY bytes DESC NULLS LAST, source NULLS LAST, destination NULLS LAST
LIMIT 100
