"""Reads a bucket with flowlogs-reader.

Arguments: the bucket, the start (inclusive), the end (exclusive), then any number of ACCOUNT/REGION. Writes a line for each
account and region: its records, and the sum of their bytes. boto3 takes the endpoint and the credentials from the environment.
"""

import sys
from collections import Counter
from datetime import datetime

from flowlogs_reader import S3FlowLogsReader

bucket, start, end, *places = sys.argv[1:]
records, volume = Counter(), Counter()
for account, region in (place.split("/") for place in places):
    reader = S3FlowLogsReader(
        bucket,
        include_accounts=[account],
        include_regions=[region],
        start_time=datetime.fromisoformat(start),
        end_time=datetime.fromisoformat(end),
        raise_on_error=True,
    )
    for record in reader:
        # The record's region takes precedence over the folder's, so that a record in a wrong folder is noticed.
        place = record.account_id, record.region or region
        records[place] += 1
        volume[place] += record.bytes or 0
for (account, region), count in sorted(records.items()):
    print(account, region, count, volume[account, region])
