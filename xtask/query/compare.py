"""Run the questions of `cargo xtask bench query` in Polars or DuckDB.

    compare.py Polars|DuckDB NUMBER FOLDER

FOLDER contains `format-0.txt` to `format-2.txt`: a header line, then the files with this header. Prints the rows to check, then the
time in seconds and the peak memory of this process in MiB.
"""

import resource
import sys
import time
from pathlib import Path

RARE = "10.250.250.250"
NUMBERS = {"version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "tcp-flags"}
ACCOUNT = "100000000000"


def formats(folder):
    for path in sorted(folder.glob("format-*.txt")):
        header, *files = path.read_text().splitlines()
        yield header.split(" "), files


def polars(number, folder):
    import polars as pl

    tables = []
    for names, files in formats(folder):
        if number == 4:
            files = [file for file in files if f"/{ACCOUNT}/" in file]
        schema = {name: pl.Int64 if name in NUMBERS else pl.String for name in names}
        table = pl.scan_csv(files, separator=" ", schema=schema, null_values="-", quote_char=None)
        tables.append(table.select("account-id", "srcaddr", "dstaddr", "dstport", "bytes", "end", "action"))
    table = pl.concat(tables)
    query = [
        lambda: table.group_by("account-id").agg(pl.col("bytes").sum()).sort("account-id"),
        lambda: table.group_by("srcaddr", "dstaddr").agg(pl.col("bytes").sum()).sort("bytes", descending=True).limit(10),
        lambda: table.filter((pl.col("srcaddr") == RARE) | (pl.col("dstaddr") == RARE)),
        lambda: table.filter(pl.col("action") == "REJECT").group_by("account-id", "dstport").len().sort("account-id", "dstport"),
        lambda: table.select(pl.len()),
    ][number]()
    return query.collect(engine="streaming").rows()


def duckdb(number, folder):
    import duckdb

    tables = []
    for names, files in formats(folder):
        if number == 4:
            files = [file for file in files if f"/{ACCOUNT}/" in file]
        columns = ", ".join(f"'{name}': '{'BIGINT' if name in NUMBERS else 'VARCHAR'}'" for name in names)
        listed = ", ".join(f"'{file}'" for file in files)
        tables.append(
            'SELECT "account-id", srcaddr, dstaddr, dstport, bytes, "end", action FROM '
            f"read_csv([{listed}], delim=' ', header=true, quote='', escape='', nullstr='-', auto_detect=false, columns={{{columns}}})"
        )
    table = "(" + " UNION ALL ".join(tables) + ")"
    query = [
        f'SELECT "account-id", sum(bytes) FROM {table} GROUP BY 1 ORDER BY 1',
        f"SELECT srcaddr, dstaddr, sum(bytes) AS total FROM {table} GROUP BY 1, 2 ORDER BY total DESC LIMIT 10",
        f"SELECT * FROM {table} WHERE srcaddr = '{RARE}' OR dstaddr = '{RARE}'",
        f"SELECT \"account-id\", dstport, count(*) FROM {table} WHERE action = 'REJECT' GROUP BY 1, 2 ORDER BY 1, 2",
        f"SELECT count(*) FROM {table}",
    ][number]
    return duckdb.connect().execute(query).fetchall()


def main():
    peer, number, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    run = {"Polars": polars, "DuckDB": duckdb}[peer]
    started = time.perf_counter()
    rows = run(number, folder)
    seconds = time.perf_counter() - started
    if number == 2:
        rows = [(len(rows),)]
    for row in rows:
        print(*row)
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


main()
