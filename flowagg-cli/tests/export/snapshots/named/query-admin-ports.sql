-- Requests to administration and database ports, by target. Reads yesterday's logs (UTC). `flowagg query admin-ports --list` describes the records that it counts.
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
    AND protocol IN (6, 17) AND dstport IN (21, 22, 23, 135, 139, 389, 445, 1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 5432, 5439, 5900, 5985, 5986, 6379, 6443, 9042, 9200, 11211, 27017)
    AND CASE WHEN protocol = 6 AND tcp_flags IN (2, 3, 6, 7) THEN true
      WHEN protocol = 6 AND tcp_flags IN (18, 19, 22, 23) THEN false
      ELSE dstport <= srcport END
  GROUP BY coalesce(pkt_srcaddr, srcaddr), coalesce(pkt_dstaddr, dstaddr), protocol, dstport
)
SELECT destination, port, CASE port WHEN 21 THEN 'ftp' WHEN 22 THEN 'ssh' WHEN 23 THEN 'telnet' WHEN 135 THEN 'windows-rpc' WHEN 139 THEN 'netbios' WHEN 389 THEN 'ldap' WHEN 445 THEN 'smb' WHEN 1433 THEN 'sql-server' WHEN 1521 THEN 'oracle' WHEN 2049 THEN 'nfs' WHEN 2375 THEN 'docker' WHEN 2376 THEN 'docker-tls' WHEN 2379 THEN 'etcd' WHEN 3306 THEN 'mysql' WHEN 3389 THEN 'rdp' WHEN 5432 THEN 'postgresql' WHEN 5439 THEN 'redshift' WHEN 5900 THEN 'vnc' WHEN 5985 THEN 'winrm' WHEN 5986 THEN 'winrm-tls' WHEN 6379 THEN 'redis' WHEN 6443 THEN 'kubernetes' WHEN 9042 THEN 'cassandra' WHEN 9200 THEN 'elasticsearch' WHEN 11211 THEN 'memcached' WHEN 27017 THEN 'mongodb' END AS service, protocol,
  count(CASE WHEN accepted > 0 THEN 1 END) AS sources,
  count(CASE WHEN accepted > 0 AND NOT (contains('10.0.0.0/8', TRY_CAST(source AS ipaddress))
    OR contains('172.16.0.0/12', TRY_CAST(source AS ipaddress))
    OR contains('192.168.0.0/16', TRY_CAST(source AS ipaddress))
    OR contains('100.64.0.0/10', TRY_CAST(source AS ipaddress))
    OR contains('169.254.0.0/16', TRY_CAST(source AS ipaddress))
    OR contains('127.0.0.0/8', TRY_CAST(source AS ipaddress))
    OR contains('0.0.0.0/8', TRY_CAST(source AS ipaddress))
    OR contains('224.0.0.0/3', TRY_CAST(source AS ipaddress))
    OR contains('fc00::/7', TRY_CAST(source AS ipaddress))
    OR contains('fe80::/10', TRY_CAST(source AS ipaddress))
    OR contains('ff00::/8', TRY_CAST(source AS ipaddress))
    OR contains('::/127', TRY_CAST(source AS ipaddress))) THEN 1 END) AS internet_sources,
  sum(accepted) AS accepted, sum(rejected) AS rejected,
  date_format(from_unixtime(min(first_seen)), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
  date_format(from_unixtime(max(last_seen)), '%Y-%m-%dT%H:%i:%sZ') AS last_seen,
  bool_or(both_ends) AS both_ends
FROM requests
GROUP BY destination, port, protocol
ORDER BY internet_sources DESC NULLS LAST, sources DESC NULLS LAST, rejected DESC NULLS LAST, destination NULLS LAST, port NULLS LAST, protocol NULLS LAST
LIMIT 100
