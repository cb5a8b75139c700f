-- Traffic that two accounts logged, each at its end. Where networks have the same addresses, it may be chance.
WITH flows AS (
  SELECT
    log_account,
    srcaddr AS source,
    dstaddr AS destination,
    srcport,
    dstport,
    protocol,
    sum(bytes) AS total_bytes
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
    AND bytes IS NOT NULL
  GROUP BY log_account, srcaddr, dstaddr, srcport, dstport, protocol
)
SELECT
  one.log_account AS account,
  other.log_account AS other_account,
  sum(one.total_bytes) AS bytes_at_account,
  sum(other.total_bytes) AS bytes_at_other,
  count(*) AS flows
FROM flows AS one
JOIN flows AS other
  ON one.source = other.source
  AND one.destination = other.destination
  AND one.srcport = other.srcport
  AND one.dstport = other.dstport
  AND one.protocol = other.protocol
  AND one.log_account < other.log_account
GROUP BY one.log_account, other.log_account
ORDER BY bytes_at_account DESC, account, other_account
