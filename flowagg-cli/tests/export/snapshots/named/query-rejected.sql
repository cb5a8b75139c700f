-- Rejected traffic by source, destination and port. Reads yesterday's logs (UTC). `flowagg query rejected --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, dstport, protocol, nullif(action, '-') AS action, nullif(interface_id, '-') AS interface_id, start AS started, "end" AS ended, CAST(NULL AS varchar) AS pkt_srcaddr, CAST(NULL AS varchar) AS pkt_dstaddr, CAST(NULL AS varchar) AS flow_direction, CAST(NULL AS varchar) AS reject_reason
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
)
SELECT log_account AS account, interface_id, flow_direction AS direction, coalesce(pkt_srcaddr, srcaddr) AS source, coalesce(pkt_dstaddr, dstaddr) AS destination,
  protocol, dstport AS port, reject_reason AS reason, count(*) AS records,
  date_format(from_unixtime(min(started)), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
  date_format(from_unixtime(max(ended)), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM logs
WHERE action = 'REJECT' AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER BY records DESC NULLS LAST, 1 NULLS LAST, 2 NULLS LAST, 3 NULLS LAST, 4 NULLS LAST, 5 NULLS LAST, 6 NULLS LAST, 7 NULLS LAST, 8 NULLS LAST
LIMIT 100
