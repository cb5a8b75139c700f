-- Traffic outside office hours. Reads yesterday's logs (UTC). `flowagg query off-hours --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, srcport, dstport, protocol, bytes, "end" AS ended, start AS started, nullif(action, '-') AS action, CAST(NULL AS varchar) AS pkt_srcaddr, CAST(NULL AS varchar) AS pkt_dstaddr, CAST(NULL AS varchar) AS flow_direction, CAST(NULL AS varchar) AS interface_type
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
),
sections AS (
  SELECT coalesce(pkt_srcaddr, srcaddr) AS source, coalesce(pkt_dstaddr, dstaddr) AS destination, protocol AS protocol, least(coalesce(srcport, dstport), coalesce(dstport, srcport)) AS port,
    greatest(coalesce(sum(CASE WHEN flow_direction = 'egress' OR flow_direction IS NULL THEN bytes END), 0),
    coalesce(sum(CASE WHEN flow_direction = 'ingress' OR flow_direction IS NULL THEN bytes END), 0)) AS bytes,
    min(started) AS first_seen, max(ended) AS last_seen,
    count(flow_direction) < count(*) AS both_ends
  FROM logs
  WHERE bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL
    AND (action IS NULL OR action <> 'REJECT')
    AND (NOT coalesce(interface_type IN ('nat_gateway', 'regional_nat_gateway'), false) OR pkt_srcaddr <> srcaddr OR pkt_dstaddr <> dstaddr)
    AND ended IS NOT NULL
    AND NOT (((ended + 0) / 86400 + 3) % 7 IN (0, 1, 2, 3, 4) AND (ended + 0) % 86400 >= 28800 AND (ended + 0) % 86400 < 64800)
  GROUP BY srcaddr, dstaddr, coalesce(pkt_srcaddr, srcaddr), coalesce(pkt_dstaddr, dstaddr), protocol, least(coalesce(srcport, dstport), coalesce(dstport, srcport))
)
SELECT source, destination, protocol, port, max(bytes) AS bytes,
  date_format(from_unixtime(min(first_seen)), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
  date_format(from_unixtime(max(last_seen)), '%Y-%m-%dT%H:%i:%sZ') AS last_seen,
  bool_or(both_ends) AS both_ends
FROM sections
GROUP BY source, destination, protocol, port
ORDER BY bytes DESC NULLS LAST, source NULLS LAST, destination NULLS LAST, protocol NULLS LAST, port NULLS LAST
LIMIT 100
