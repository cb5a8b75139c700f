"""Reads a bucket with DuckDB, after downloading its objects to a folder.

Arguments: the bucket, the suffix of its objects, and the layout of its folders (`hive` or `plain`). Writes a line for each
account and region: its records, and the sum of their bytes. boto3 takes the endpoint and the credentials from the environment.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3
import duckdb

bucket, suffix, folders = sys.argv[1:]
s3 = boto3.client("s3")
with TemporaryDirectory(prefix="flowagg-duckdb-") as folder:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            file = Path(folder, item["Key"])
            file.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, item["Key"], str(file))

    paths = {"filename": True, "hive_partitioning": folders == "hive"}
    objects = f"{folder}/**/*{suffix}"
    if suffix.endswith(".parquet"):
        files, owner = duckdb.read_parquet(objects, **paths), "account_id"
    else:
        text = {"sep": " ", "header": True, "na_values": "-", "all_varchar": True}
        files, owner = duckdb.read_csv(objects, **text, **paths), '"account-id"'
    if folders == "hive":
        account, region = '"aws-account-id"', '"aws-region"'
    else:
        names = f"split(filename[{len(folder) + 2}:], '/')"
        account, region = f"{names}[2]", f"{names}[4]"
    # Excludes records whose fields differ from their folders.
    said = "region" if "region" in files.columns else region
    counts = duckdb.sql(f"""
        SELECT {owner}, {said}, count(*), coalesce(sum(bytes::BIGINT), 0)::BIGINT
        FROM files WHERE {owner} = {account} AND {said} = {region} GROUP BY 1, 2 ORDER BY 1, 2
    """)
    for row in counts.fetchall():
        print(*row)
