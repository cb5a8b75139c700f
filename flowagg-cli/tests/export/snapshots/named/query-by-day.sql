-- Bytes by account and day or hour, compared with the average. Reads yesterday's logs (UTC). `flowagg query by-day --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, bytes, "end" AS ended, nullif(action, '-') AS action, CAST(NULL AS varchar) AS flow_direction
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
),
periods AS (
  SELECT log_account AS account, ended / 86400 AS period,
    CASE WHEN count(flow_direction) > 0 THEN coalesce(sum(CASE WHEN flow_direction = 'egress' THEN bytes END), 0) END AS sent,
    CASE WHEN count(flow_direction) > 0 THEN coalesce(sum(CASE WHEN flow_direction = 'ingress' THEN bytes END), 0) END AS received,
    sum(CASE WHEN flow_direction IS NULL THEN bytes END) AS undirected,
    sum(bytes) AS bytes,
    count(flow_direction) < count(*) AS both_ends
  FROM logs
  WHERE bytes IS NOT NULL AND ended IS NOT NULL AND (action IS NULL OR action <> 'REJECT')
  GROUP BY log_account, ended / 86400
)
SELECT account, substr(date_format(from_unixtime(period * 86400), '%Y-%m-%dT%H:%i:%sZ'), 1, 10) AS day, sent, received, undirected,
  CAST(CAST(100e0 * bytes * count(*) OVER (PARTITION BY account) / nullif(sum(bytes) OVER (PARTITION BY account), 0) AS decimal(18, 0)) AS bigint) AS percent,
  both_ends
FROM periods
ORDER BY account NULLS LAST, day NULLS LAST
