-- Who exchanged traffic with an address, when, and on which port. Reads yesterday's logs (UTC). Replace 10.0.0.7 with the ADDRESS to search for. `flowagg query who --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, srcport, dstport, protocol, bytes, start AS started, "end" AS ended, nullif(action, '-') AS action, CAST(NULL AS varchar) AS pkt_srcaddr, CAST(NULL AS varchar) AS pkt_dstaddr, CAST(NULL AS varchar) AS flow_direction
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
),
sections AS (
  SELECT coalesce(pkt_srcaddr, srcaddr) AS source, coalesce(pkt_dstaddr, dstaddr) AS destination, protocol AS protocol, least(coalesce(srcport, dstport), coalesce(dstport, srcport)) AS port,
    greatest(coalesce(sum(CASE WHEN flow_direction = 'egress' OR flow_direction IS NULL THEN CASE WHEN action = 'REJECT' THEN 0 ELSE bytes END END), 0),
    coalesce(sum(CASE WHEN flow_direction = 'ingress' OR flow_direction IS NULL THEN CASE WHEN action = 'REJECT' THEN 0 ELSE bytes END END), 0)) AS bytes,
    count(CASE WHEN action = 'REJECT' THEN 1 END) AS rejected,
    min(started) AS first_seen, max(ended) AS last_seen,
    count(flow_direction) < count(*) AS both_ends
  FROM logs
  WHERE bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL
    AND (srcaddr = '10.0.0.7' OR dstaddr = '10.0.0.7' OR pkt_srcaddr = '10.0.0.7' OR pkt_dstaddr = '10.0.0.7')
  GROUP BY srcaddr, dstaddr, coalesce(pkt_srcaddr, srcaddr), coalesce(pkt_dstaddr, dstaddr), protocol, least(coalesce(srcport, dstport), coalesce(dstport, srcport))
)
SELECT source, destination, protocol, port, max(bytes) AS bytes, sum(rejected) AS rejected,
  date_format(from_unixtime(min(first_seen)), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
  date_format(from_unixtime(max(last_seen)), '%Y-%m-%dT%H:%i:%sZ') AS last_seen,
  bool_or(both_ends) AS both_ends
FROM sections
GROUP BY source, destination, protocol, port
ORDER BY bytes DESC NULLS LAST, source NULLS LAST, destination NULLS LAST, protocol NULLS LAST, port NULLS LAST
LIMIT 100
