-- Addresses, instances or subnets by bytes sent and received. Reads yesterday's logs (UTC). `flowagg query top --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, bytes, nullif(action, '-') AS action, CAST(NULL AS varchar) AS pkt_srcaddr, CAST(NULL AS varchar) AS pkt_dstaddr, CAST(NULL AS varchar) AS flow_direction, CAST(NULL AS varchar) AS interface_type
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
),
sections AS (
  SELECT coalesce(pkt_srcaddr, srcaddr) AS source, coalesce(pkt_dstaddr, dstaddr) AS destination,
    greatest(coalesce(sum(CASE WHEN flow_direction = 'egress' OR flow_direction IS NULL THEN bytes END), 0),
    coalesce(sum(CASE WHEN flow_direction = 'ingress' OR flow_direction IS NULL THEN bytes END), 0)) AS bytes,
    count(flow_direction) < count(*) AS both_ends
  FROM logs
  WHERE bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL
    AND (action IS NULL OR action <> 'REJECT')
    AND (NOT coalesce(interface_type IN ('nat_gateway', 'regional_nat_gateway'), false) OR pkt_srcaddr <> srcaddr OR pkt_dstaddr <> dstaddr)
  GROUP BY srcaddr, dstaddr, coalesce(pkt_srcaddr, srcaddr), coalesce(pkt_dstaddr, dstaddr)
),
pairs AS (
  SELECT source, destination, max(bytes) AS bytes, bool_or(both_ends) AS both_ends
  FROM sections
  GROUP BY source, destination
)
SELECT CASE WHEN side = 'sent' THEN source ELSE destination END AS address,
  sum(CASE WHEN side = 'sent' THEN bytes ELSE 0 END) AS sent,
  sum(CASE WHEN side = 'received' THEN bytes ELSE 0 END) AS received,
  sum(bytes) AS bytes,
  bool_or(both_ends) AS both_ends
FROM pairs CROSS JOIN (VALUES ('sent'), ('received')) AS sides (side)
GROUP BY 1
ORDER BY bytes DESC NULLS LAST, address NULLS LAST
LIMIT 100
