"""The script that most people would write first: one CreateFlowLogs per account and region, sequentially.

Usage: script.py BUCKET REGION,... ACCOUNT ...
"""

import sys
from collections import Counter

import boto3

calls = Counter()


def called(operation, **_):
    calls[operation.name] += 1


def client(session, service, region):
    made = session.client(service, region_name=region)
    made.meta.events.register("before-parameter-build.*.*", lambda model, **_: called(model))
    return made


bucket, regions, accounts = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
sts = client(boto3.Session(), "sts", regions[0])
for account in accounts:
    role = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/flowagg", RoleSessionName="script")
    given = role["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    for region in regions:
        ec2 = client(session, "ec2", region)
        vpcs = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]]
        made = ec2.create_flow_logs(
            ResourceType="VPC",
            ResourceIds=vpcs,
            TrafficType="ALL",
            LogDestinationType="s3",
            LogDestination=f"arn:aws:s3:::{bucket}",
        )
        if made["Unsuccessful"]:
            sys.exit(f"{account} {region}: {made['Unsuccessful']}")
for operation, count in sorted(calls.items()):
    print(operation, count)
