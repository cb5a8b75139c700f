-- Accepted requests from the internet. Reads yesterday's logs (UTC). `flowagg query inbound --list` describes the records that it counts.
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, srcport, dstport, protocol, bytes, nullif(action, '-') AS action, start AS started, "end" AS ended, CAST(NULL AS integer) AS tcp_flags, CAST(NULL AS varchar) AS pkt_srcaddr, CAST(NULL AS varchar) AS pkt_dstaddr, CAST(NULL AS varchar) AS flow_direction
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_account IN ('300000000000', '300000000001', '300000000002', '300000000003', '300000000004', '300000000005',
    '300000000006', '300000000007', '300000000008', '300000000009', '300000000010', '300000000011',
    '300000000012', '300000000013', '300000000014', '300000000015', '300000000016', '300000000017',
    '300000000018', '300000000019', '300000000020', '300000000021', '300000000022', '300000000023',
    '300000000024', '300000000025', '300000000026', '300000000027', '300000000028', '300000000029',
    '300000000030', '300000000031', '300000000032', '300000000033', '300000000034', '300000000035',
    '300000000036', '300000000037', '300000000038', '300000000039', '300000000040', '300000000041',
    '300000000042', '300000000043', '300000000044', '300000000045', '300000000046', '300000000047',
    '300000000048', '300000000049', '300000000050', '300000000051', '300000000052', '300000000053',
    '300000000054', '300000000055', '300000000056', '300000000057', '300000000058', '300000000059',
    '300000000060', '300000000061', '300000000062', '300000000063', '300000000064', '300000000065',
    '300000000066', '300000000067', '300000000068', '300000000069', '300000000070', '300000000071',
    '300000000072', '300000000073', '300000000074', '300000000075', '300000000076', '300000000077',
    '300000000078', '300000000079', '300000000080', '300000000081', '300000000082', '300000000083',
    '300000000084', '300000000085', '300000000086', '300000000087', '300000000088', '300000000089',
    '300000000090', '300000000091', '300000000092', '300000000093', '300000000094', '300000000095',
    '300000000096', '300000000097', '300000000098', '300000000099', '300000000100', '300000000101',
    '300000000102', '300000000103', '300000000104', '300000000105', '300000000106', '300000000107',
    '300000000108', '300000000109', '300000000110', '300000000111', '300000000112', '300000000113',
    '300000000114', '300000000115', '300000000116', '300000000117', '300000000118', '300000000119',
    '300000000120', '300000000121', '300000000122', '300000000123', '300000000124', '300000000125',
    '300000000126', '300000000127', '300000000128', '300000000129', '300000000130', '300000000131',
    '300000000132', '300000000133', '300000000134', '300000000135', '300000000136', '300000000137',
    '300000000138', '300000000139', '300000000140', '300000000141', '300000000142', '300000000143',
    '300000000144', '300000000145', '300000000146', '300000000147', '300000000148', '300000000149',
    '300000000150', '300000000151', '300000000152', '300000000153', '300000000154', '300000000155',
    '300000000156', '300000000157', '300000000158', '300000000159', '300000000160', '300000000161',
    '300000000162', '300000000163', '300000000164', '300000000165', '300000000166', '300000000167',
    '300000000168', '300000000169', '300000000170', '300000000171', '300000000172', '300000000173',
    '300000000174', '300000000175', '300000000176', '300000000177', '300000000178', '300000000179',
    '300000000180', '300000000181', '300000000182', '300000000183', '300000000184', '300000000185',
    '300000000186', '300000000187', '300000000188', '300000000189', '300000000190', '300000000191',
    '300000000192', '300000000193', '300000000194', '300000000195', '300000000196', '300000000197',
    '300000000198', '300000000199', '300000000200', '300000000201', '300000000202', '300000000203',
    '300000000204', '300000000205', '300000000206', '300000000207', '300000000208', '300000000209',
    '300000000210', '300000000211', '300000000212', '300000000213', '300000000214', '300000000215',
    '300000000216', '300000000217', '300000000218', '300000000219', '300000000220', '300000000221',
    '300000000222', '300000000223', '300000000224', '300000000225', '300000000226', '300000000227',
    '300000000228', '300000000229', '300000000230', '300000000231', '300000000232', '300000000233',
    '300000000234', '300000000235', '300000000236', '300000000237', '300000000238', '300000000239',
    '300000000240', '300000000241', '300000000242', '300000000243', '300000000244', '300000000245',
    '300000000246', '300000000247', '300000000248', '300000000249')
    AND log_date = date_format(current_date - interval '1' day, '%Y/%m/%d')
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
