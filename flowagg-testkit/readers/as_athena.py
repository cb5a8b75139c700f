# Appended to `athena.py`: runs the statements that flowagg wrote over a bucket, in place of Athena.
#
# Arguments: the bucket, a folder of statements, the accounts whose flow logs were delivered, and the hours of their
# files, both comma-separated. Fails if a statement is not valid in Athena's dialect, or if the partitions of the table
# are not exactly the folders that contain objects. Writes a line of JSON with the name and rows of each statement whose
# file is named `asked-NAME.sql`. boto3 takes the endpoint and the credentials from the environment.

import re
import sys
from datetime import datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3

bucket, statements, accounts, hours = sys.argv[1:]
hours = [datetime.strptime(hour, "%Y-%m-%dT%H") for hour in hours.split(",")]
# strftime equivalents of Java's pattern letters, and of the numeric partition columns.
JAVA = {"yyyy": "%Y", "MM": "%m", "dd": "%d"}
NUMBERS = {"log_month": "%m", "log_day": "%d", "log_hour": "%H"}


def need(is_so, what):
    if not is_so:
        sys.exit(f"check failed: {what}")


parsed = {}
for file in sorted(Path(statements).glob("*.sql")):
    tree = parsed_sql(file.read_text())
    wanted = exp.Create if file.stem in ("database", "table") else exp.Select
    need(isinstance(tree, wanted), f"{file.name} must be {wanted.__name__}")
    parsed[file.stem] = tree

table = parsed["table"]
columns = {column.name: column.args["kind"].sql("duckdb") for column in table.this.expressions}
partitions = [column.name for column in table.find(exp.PartitionedByProperty).this.expressions]
properties = {
    item.this.name: item.args["value"].name for item in table.find_all(exp.Property) if type(item) is exp.Property
}
template = properties["storage.location.template"]
is_text = table.find(exp.RowFormatDelimitedProperty) is not None
need(not set(columns) & set(partitions), "a partition column must not have the name of a field")
need(sorted(re.findall(r"\$\{(\w+)\}", template)) == sorted(partitions), "the template must contain each partition column once")
need(template.endswith("/"), "the template must end with a slash")
need(template.startswith(table.find(exp.LocationProperty).this.name), "the template must start with the location")
need(properties["projection.enabled"] == "true", "partition projection must be enabled")
need(not is_text or properties["skip.header.line.count"] == "1", "the header of text files must be skipped")


def values(column, hour):
    """The values that the table projects for a column and an hour; of accounts, only those that delivered."""
    about = {key.removeprefix(f"projection.{column}."): value for key, value in properties.items()}
    match about["type"]:
        case "enum":
            found = about["values"].split(",")
        case "injected":
            named = [
                {value.name for value in one.expressions}
                for tree in parsed.values()
                for one in tree.find_all(exp.In)
                if one.this.name == column
            ]
            need(named, "every query must name its accounts")
            found = set.union(*named)
        case "date":
            how = re.sub("|".join(JAVA), lambda letters: JAVA[letters[0]], about["format"])
            found = [hour.strftime(how)]
        case "integer":
            first, last = (int(bound) for bound in about["range"].split(","))
            projected = {str(number).zfill(int(about["digits"])) for number in range(first, last + 1)}
            found = [hour.strftime(NUMBERS[column])]
            need(set(found) <= projected, f"{found} of {column} must be projected")
    if column == "log_account":
        need(set(accounts.split(",")) <= set(found), "every account that delivers must be projected")
        found = accounts.split(",")
    return found


# Without hourly partitions, all hours of a day share one partition.
projected = {
    one: re.sub(r"\$\{(\w+)\}", lambda place: one[partitions.index(place[1])], template)
    for hour in hours
    for one in product(*(values(column, hour) for column in partitions))
}
need(len(set(projected.values())) == len(projected), "two partitions must not share a folder")

with TemporaryDirectory(prefix="flowagg-athena-") as folder:
    s3 = boto3.client("s3")
    files = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            file = Path(folder, item["Key"])
            file.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, item["Key"], str(file))
            reached = [one for one, place in projected.items() if f"s3://{bucket}/{item['Key']}".startswith(place)]
            need(len(reached) == 1, f"{item['Key']} must be in one partition, not {len(reached)}")
            files.append((str(file), *reached[0]))
    held = {f"s3://{bucket}/{Path(name).parent.relative_to(folder)}/" for name, *_ in files}
    need(held == set(projected.values()), f"partitions and folders with objects differ: {sorted(held ^ set(projected.values()))}")

    athena = Athena(table.this.this, columns, partitions, files, is_text)
    for statement, tree in parsed.items():
        if isinstance(tree, exp.Select):
            rows = athena.rows(tree)
            if statement.startswith("asked-"):
                print(json.dumps({"name": statement.removeprefix("asked-"), "rows": rows}))
