"""Runs Athena's SQL on DuckDB: sqlglot parses it in Athena's dialect and generates DuckDB's.

Two differences are handled here. In Trino, dividing integers with `/` yields an integer. DuckDB has no address type, so `contains`
of a network and an address becomes a lookup in a map. Like Trino, it rejects a network whose address has bits after the prefix.
"""

import ipaddress
import json

import duckdb
import sqlglot
from sqlglot import exp

ADDRESSES = ("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr")


def parsed_sql(sql):
    return sqlglot.parse_one(sql, dialect="athena")


def is_text_of_address(node):
    return isinstance(node, exp.TryCast) and node.to.this == exp.DataType.Type.IPADDRESS


class Athena:
    """A table over files, each with the values of its partition columns."""

    def __init__(self, name, columns, partitions, files, is_text):
        duckdb.execute("SET TimeZone = 'UTC'; SET integer_division = true; SET enable_progress_bar = false")
        partition_columns = "".join(f", {column} VARCHAR" for column in partitions)
        duckdb.execute(f"CREATE TABLE objects (filename VARCHAR{partition_columns})")
        duckdb.executemany(f"INSERT INTO objects VALUES (?{', ?' * len(partitions)})", files)
        common = f"{[name for name, *_ in files]}, filename = true, hive_partitioning = false"
        if is_text:
            # By position, as in Athena. In numeric columns, values that are not numbers become null.
            fields = {column: "VARCHAR" for column in columns}
            source = f"read_csv({common}, auto_detect = false, delim = ' ', header = false, skip = 1, quote = '', columns = {fields})"
        else:
            source = f"read_parquet({common}, union_by_name = true)"
        cast = "TRY_CAST" if is_text else "CAST"
        fields = ", ".join(f'{cast}("{column}" AS {kind}) AS "{column}"' for column, kind in columns.items())
        if name.args.get("db"):
            duckdb.execute(f"CREATE SCHEMA {name.args['db'].sql('duckdb')}")
        name = name.sql("duckdb")
        duckdb.execute(
            f"CREATE TABLE {name} AS SELECT {fields}, objects.* EXCLUDE filename FROM {source} JOIN objects USING (filename)"
        )
        found = set()
        for column in ADDRESSES:
            if column in columns:
                found |= {value for (value,) in duckdb.execute(f"SELECT DISTINCT {column} FROM {name}").fetchall()}
        self.addresses = []
        for text in found:
            try:
                self.addresses.append(ipaddress.ip_address(text))
            except ValueError:
                pass

    def rows(self, tree):
        """The rows of a statement, each a list of strings; null is None."""
        networks = set()

        def translated(node):
            if isinstance(node, exp.ArrayContains) and is_text_of_address(node.expression):
                networks.add(node.this.name)
                return parsed_duckdb("list_contains(getvariable('networks')[x], n)", node.expression.this, node.this)
            return node

        tree = tree.copy().transform(translated)
        networks = [ipaddress.ip_network(network) for network in networks]
        contained = [
            f"'{address}': {[str(network) for network in networks if address in network]}::VARCHAR[]" for address in self.addresses
        ]
        duckdb.execute(f"SET VARIABLE networks = MAP {{{', '.join(contained)}}}")
        return [[text_of(value) for value in row] for row in duckdb.execute(tree.sql("duckdb")).fetchall()]


def parsed_duckdb(sql, x, n):
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return tree.transform(lambda node: {"x": x, "n": n}.get(node.name, node) if isinstance(node, exp.Column) else node)


def text_of(value):
    """A value formatted as Athena formats it."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)
