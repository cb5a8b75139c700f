"""Parses a file of metrics with Prometheus's own client, and prints each sample as a line of JSON."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
seen = set()
for family in text_string_to_metric_families(text):
    for sample in family.samples:
        series = (sample.name, frozenset(sample.labels.items()))
        # node_exporter rejects duplicate series and samples with timestamps.
        if series in seen or sample.timestamp is not None or family.type != "gauge" or not family.documentation:
            sys.exit(f"not a gauge that the textfile collector accepts: {sample}")
        seen.add(series)
        print(json.dumps({"name": sample.name, "labels": sample.labels, "value": sample.value}))
