-- SSH and RDP connections, with their sources. Reads yesterday's logs (UTC). `flowagg query ssh-rdp --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, srcport, dstport, protocol, nullif(action, '-') AS action, start AS started, "end" AS ended, CAST(NULL AS integer) AS tcp_flags, CAST(NULL AS varchar) AS pkt_srcaddr, CAST(NULL AS varchar) AS pkt_dstaddr, CAST(NULL AS varchar) AS flow_direction
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
),
requests AS (
  SELECT coalesce(pkt_srcaddr, srcaddr) AS source, coalesce(pkt_dstaddr, dstaddr) AS destination, protocol, dstport AS port,
    CASE WHEN count(CASE WHEN flow_direction = 'ingress' AND dstaddr = coalesce(pkt_dstaddr, dstaddr) THEN 1 END) > 0
      THEN count(CASE WHEN flow_direction = 'ingress' AND dstaddr = coalesce(pkt_dstaddr, dstaddr) AND action = 'ACCEPT' THEN 1 END)
      WHEN count(CASE WHEN flow_direction = 'ingress' THEN 1 END) > 0 THEN count(CASE WHEN flow_direction = 'ingress' AND action = 'ACCEPT' THEN 1 END)
      ELSE count(CASE WHEN flow_direction = 'egress' AND action = 'ACCEPT' THEN 1 END) END
    + count(CASE WHEN flow_direction IS NULL AND action = 'ACCEPT' THEN 1 END) AS accepted,
    count(CASE WHEN action = 'REJECT' THEN 1 END) AS rejected,
    min(started) AS first_seen, max(ended) AS last_seen, count(flow_direction) < count(*) AS both_ends
  FROM logs
  WHERE srcaddr IS NOT NULL AND dstaddr IS NOT NULL AND action IS NOT NULL
    AND (protocol = 6 AND dstport IN (22, 3389) OR protocol = 17 AND dstport = 3389)
    AND CASE WHEN protocol = 6 AND tcp_flags IN (2, 3, 6, 7) THEN true
      WHEN protocol = 6 AND tcp_flags IN (18, 19, 22, 23) THEN false
      ELSE dstport <= srcport END
  GROUP BY coalesce(pkt_srcaddr, srcaddr), coalesce(pkt_dstaddr, dstaddr), protocol, dstport
)
SELECT source, destination, CASE WHEN port = 22 THEN 'ssh' ELSE 'rdp' END AS service, protocol,
  accepted, rejected,
  date_format(from_unixtime(first_seen), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
  date_format(from_unixtime(last_seen), '%Y-%m-%dT%H:%i:%sZ') AS last_seen, both_ends
FROM requests
ORDER BY accepted DESC NULLS LAST, rejected DESC NULLS LAST, source NULLS LAST, destination NULLS LAST, service NULLS LAST, protocol NULLS LAST
LIMIT 100
