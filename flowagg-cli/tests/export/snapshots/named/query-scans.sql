-- Sources with requests to many targets or ports (100). Reads yesterday's logs (UTC). `flowagg query scans --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, srcport, dstport, protocol, start AS started, "end" AS ended, nullif(action, '-') AS action, CAST(NULL AS integer) AS tcp_flags, CAST(NULL AS varchar) AS pkt_srcaddr, CAST(NULL AS varchar) AS pkt_dstaddr, CAST(NULL AS varchar) AS interface_type
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
)
SELECT coalesce(pkt_srcaddr, srcaddr) AS source, count(DISTINCT coalesce(pkt_dstaddr, dstaddr)) AS targets, count(DISTINCT dstport) AS ports,
  count(CASE WHEN action = 'REJECT' THEN 1 END) AS rejected,
  date_format(from_unixtime(min(started)), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
  date_format(from_unixtime(max(ended)), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM logs
WHERE srcaddr IS NOT NULL AND dstaddr IS NOT NULL AND protocol IN (6, 17)
  AND CASE WHEN protocol = 6 AND tcp_flags IN (2, 3, 6, 7) THEN true
      WHEN protocol = 6 AND tcp_flags IN (18, 19, 22, 23) THEN false
      ELSE dstport <= srcport END
  AND (NOT coalesce(interface_type IN ('nat_gateway', 'regional_nat_gateway'), false) OR pkt_srcaddr <> srcaddr OR pkt_dstaddr <> dstaddr)
GROUP BY coalesce(pkt_srcaddr, srcaddr)
HAVING count(DISTINCT coalesce(pkt_dstaddr, dstaddr)) >= 100 OR count(DISTINCT dstport) >= 100
ORDER BY targets DESC NULLS LAST, ports DESC NULLS LAST, source NULLS LAST
LIMIT 100
