-- The pairs of addresses between which most bytes went. What is logged at both ends counts twice.
SELECT
  srcaddr AS source,
  dstaddr AS destination,
  sum(bytes) AS total_bytes,
  sum(packets) AS total_packets,
  count(*) AS records
FROM "flowagg"."vpc_flow_logs"
WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
  AND bytes IS NOT NULL
GROUP BY srcaddr, dstaddr
ORDER BY total_bytes DESC, source, destination
LIMIT 100
