-- What one network interface did, record by record: the one with the most bytes, or one by its id.
SELECT
  log_account,
  interface_id,
  date_format(from_unixtime(start), '%Y-%m-%d %H:%i:%s') AS started,
  date_format(from_unixtime("end"), '%Y-%m-%d %H:%i:%s') AS ended,
  srcaddr,
  srcport,
  dstaddr,
  dstport,
  protocol,
  action,
  packets,
  bytes,
  log_status
FROM "flowagg"."vpc_flow_logs"
WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
  AND interface_id = (
    SELECT interface_id
    FROM "flowagg"."vpc_flow_logs"
    WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
      AND bytes IS NOT NULL
    GROUP BY interface_id
    ORDER BY sum(bytes) DESC, interface_id
    LIMIT 1
  )
ORDER BY 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
LIMIT 1000
