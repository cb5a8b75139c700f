"""documents.py SCHEMAS DOCUMENTS: every kept schema is one, and admits what flowagg wrote; and not one document that lacks a
field, or has a field of another type."""

import copy
import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator

# Fields that are not always there.
AT_TIMES = {
    "policy-diff": {"not-evaluated"},
    "policy-simulate": {"account", "region", "action", "resource", "depends-on", "near-miss"},
}
# Commands that print the form of another.
SAME = {"apply": "destroy", "policy-build": "policy-merge"}
# Objects whose fields have names of their own, and IAM policies, which are AWS's.
FREE = {"tags", "reading", "applying", "looking-again", "caller", "lookup", "hub", "member", "trust", "document"}
# Objects of which every field is such an object.
OF_FREE = {"names"}


def fields(value, free, within=None):
    """Every field of every object below, as the object and its name; not those of free objects."""
    if isinstance(value, list):
        for item in value:
            yield from fields(item, free, within)
    if isinstance(value, dict):
        for name, field in list(value.items()):
            yield value, name
            if not (isinstance(field, dict) and (name in free or within in OF_FREE)):
                yield from fields(field, free, name)


schemas, documents = map(Path, sys.argv[1:])
checked = spoiled = 0
for file in sorted(schemas.iterdir()):
    schema = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    # Of those that are alike one is spoiled.
    alike = set()
    names = [file.stem, *filter(None, [SAME.get(file.stem)])]
    written = sorted(path for name in names for path in documents.glob(f"{name}.*.json"))
    if not written:
        sys.exit(f"nothing was written for {file.name}")
    for path in written:
        document = json.loads(path.read_text(encoding="utf-8"))
        wrong = [f"{path}: {error.json_path}: {error.message}" for error in validator.iter_errors(document)]
        if wrong:
            sys.exit("\n".join(wrong))
        checked += 1
        free = FREE | ({"calls"} if file.stem == "events" else set())
        free -= {"hub"} if file.stem == "report" else set()
        shape = str(sorted({name for _, name in fields(document, free)}))
        if shape in alike:
            continue
        alike.add(shape)
        bad = copy.deepcopy(document)
        for parent, name in fields(bad, free):
            good = parent[name]
            parent[name] = [["odd"]]
            if validator.is_valid(bad):
                sys.exit(f"{path}: the schema admits {name!r} of another type in {parent}")
            del parent[name]
            if validator.is_valid(bad) and name not in AT_TIMES.get(file.stem, ()):
                sys.exit(f"{path}: the schema does not miss {name!r} in {parent}")
            parent[name] = good
            spoiled += 2
print(f"{checked} documents are what their schemas say, and {spoiled} spoiled ones are not", file=sys.stderr)
