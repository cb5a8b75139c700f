-- Accepted requests from the internet. Reads yesterday's logs (UTC). `flowagg query inbound --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, srcport, dstport, protocol, bytes, nullif(action, '-') AS action, start AS started, "end" AS ended, CAST(NULL AS integer) AS tcp_flags, CAST(NULL AS varchar) AS pkt_srcaddr, CAST(NULL AS varchar) AS pkt_dstaddr, CAST(NULL AS varchar) AS flow_direction
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
),
sections AS (
  SELECT log_account AS account, coalesce(pkt_srcaddr, srcaddr) AS source, coalesce(pkt_dstaddr, dstaddr) AS destination, protocol AS protocol, dstport AS port,
    sum(bytes) AS bytes, count(*) AS records, min(started) AS first_seen, max(ended) AS last_seen,
    count(CASE WHEN flow_direction IS NULL AND srcaddr LIKE '%:%' THEN 1 END) > 0 AS marked,
    count(flow_direction) < count(*) AS both_ends
  FROM logs
  WHERE bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL
    AND action = 'ACCEPT'
    AND (flow_direction = 'ingress' OR flow_direction IS NULL)
    AND CASE WHEN protocol = 6 AND tcp_flags IN (2, 3, 6, 7) THEN true
      WHEN protocol = 6 AND tcp_flags IN (18, 19, 22, 23) THEN false
      ELSE dstport <= srcport END
    AND NOT (contains('10.0.0.0/8', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('172.16.0.0/12', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('192.168.0.0/16', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('100.64.0.0/10', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('169.254.0.0/16', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('127.0.0.0/8', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('0.0.0.0/8', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('224.0.0.0/3', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('fc00::/7', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('fe80::/10', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('ff00::/8', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress))
    OR contains('::/127', TRY_CAST(coalesce(pkt_srcaddr, srcaddr) AS ipaddress)))
  GROUP BY srcaddr, dstaddr, log_account, coalesce(pkt_srcaddr, srcaddr), coalesce(pkt_dstaddr, dstaddr), protocol, dstport
)
SELECT account, source, destination, protocol, port, max(bytes) AS bytes, max(records) AS records,
  date_format(from_unixtime(min(first_seen)), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
  date_format(from_unixtime(max(last_seen)), '%Y-%m-%dT%H:%i:%sZ') AS last_seen,
  bool_or(marked) AS both_ends
FROM sections
GROUP BY account, source, destination, protocol, port
ORDER BY bytes DESC NULLS LAST, account NULLS LAST, source NULLS LAST, destination NULLS LAST, protocol NULLS LAST, port NULLS LAST
LIMIT 100
