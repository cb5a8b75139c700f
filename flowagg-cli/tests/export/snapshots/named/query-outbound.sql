-- Traffic to the internet, by account and target. Reads yesterday's logs (UTC). `flowagg query outbound --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, bytes, nullif(action, '-') AS action, CAST(NULL AS varchar) AS instance_id, CAST(NULL AS varchar) AS pkt_srcaddr, CAST(NULL AS varchar) AS pkt_dstaddr, CAST(NULL AS varchar) AS pkt_dst_aws_service, CAST(NULL AS varchar) AS flow_direction, CAST(NULL AS integer) AS traffic_path, CAST(NULL AS varchar) AS interface_type
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
)
SELECT log_account AS account, coalesce(pkt_dstaddr, dstaddr) AS destination, pkt_dst_aws_service AS aws_service,
  sum(bytes) AS bytes, count(*) AS records, count(traffic_path) < count(*) OR count(CASE WHEN flow_direction IS NULL AND srcaddr LIKE '%:%' THEN 1 END) > 0 AS both_ends
FROM logs
WHERE bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL AND action = 'ACCEPT'
  AND (flow_direction = 'egress' OR flow_direction IS NULL)
  AND (traffic_path IN (2, 8) OR traffic_path IS NULL)
  AND (dstaddr = pkt_dstaddr OR pkt_dstaddr IS NULL)
  AND (srcaddr = pkt_srcaddr OR pkt_srcaddr IS NULL OR instance_id IS NOT NULL)
  AND NOT (contains('10.0.0.0/8', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('172.16.0.0/12', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('192.168.0.0/16', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('100.64.0.0/10', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('169.254.0.0/16', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('127.0.0.0/8', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('0.0.0.0/8', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('224.0.0.0/3', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('fc00::/7', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('fe80::/10', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('ff00::/8', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress))
    OR contains('::/127', TRY_CAST(coalesce(pkt_dstaddr, dstaddr) AS ipaddress)))
GROUP BY log_account, coalesce(pkt_dstaddr, dstaddr), pkt_dst_aws_service
ORDER BY bytes DESC NULLS LAST, account NULLS LAST, destination NULLS LAST, aws_service NULLS LAST
LIMIT 100
