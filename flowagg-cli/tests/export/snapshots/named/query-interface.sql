-- Traffic of a network interface or an instance. Reads yesterday's logs (UTC). Replace eni-0a1b2c3d4e5f67890 with the ID to search for. `flowagg query interface --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(interface_id, '-') AS interface_id, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, srcport, dstport, protocol, bytes, start AS started, "end" AS ended, nullif(action, '-') AS action, CAST(NULL AS varchar) AS pkt_srcaddr, CAST(NULL AS varchar) AS pkt_dstaddr, CAST(NULL AS varchar) AS flow_direction
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
)
SELECT interface_id, flow_direction AS direction, coalesce(pkt_srcaddr, srcaddr) AS source, coalesce(pkt_dstaddr, dstaddr) AS destination, protocol,
  least(coalesce(srcport, dstport), coalesce(dstport, srcport)) AS port, action, sum(bytes) AS bytes, count(*) AS records,
  date_format(from_unixtime(min(started)), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
  date_format(from_unixtime(max(ended)), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM logs
WHERE interface_id = 'eni-0a1b2c3d4e5f67890' AND bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY bytes DESC NULLS LAST, 1 NULLS LAST, 2 NULLS LAST, 3 NULLS LAST, 4 NULLS LAST, 5 NULLS LAST, 6 NULLS LAST, 7 NULLS LAST
LIMIT 100
