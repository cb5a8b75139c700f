"""documents.py SCHEMAS DOCUMENTS: check that every schema is valid and accepts the documents that flowagg wrote, and that it
rejects copies with a missing field or with a field of another type."""

import copy
import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator

# Optional fields.
OPTIONAL = {
    "policy-diff": {"not-evaluated"},
    "policy-simulate": {"account", "region", "action", "resource", "depends-on", "near-miss"},
}
# Commands that share the schema of another.
SAME = {"apply": "destroy", "policy-build": "policy-merge"}
# Objects with free field names, and IAM policies, whose format AWS defines.
FREE = {"tags", "reading", "applying", "looking-again", "unknown", "caller", "lookup", "hub", "member", "trust", "document"}
# Objects whose fields are all such objects.
OF_FREE = {"names"}


def fields(value, free, within=None):
    """Yield every field of every object below, as the object and the field name; skip free objects."""
    if isinstance(value, list):
        for item in value:
            yield from fields(item, free, within)
    if isinstance(value, dict):
        for name, field in list(value.items()):
            yield value, name
            if not (isinstance(field, dict) and (name in free or within in OF_FREE)):
                yield from fields(field, free, name)


schemas, documents = map(Path, sys.argv[1:])
checked = changed = 0
for file in sorted(schemas.iterdir()):
    schema = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    # Only one of several documents with the same fields is tested with changed fields.
    seen = set()
    names = [file.stem, *filter(None, [SAME.get(file.stem)])]
    written = sorted(path for name in names for path in documents.glob(f"{name}.*.json"))
    if not written:
        sys.exit(f"no documents were written for {file.name}")
    for path in written:
        document = json.loads(path.read_text(encoding="utf-8"))
        wrong = [f"{path}: {error.json_path}: {error.message}" for error in validator.iter_errors(document)]
        if wrong:
            sys.exit("\n".join(wrong))
        checked += 1
        free = FREE | ({"calls"} if file.stem == "events" else set())
        free -= {"hub"} if file.stem == "report" else set()
        shape = str(sorted({name for _, name in fields(document, free)}))
        if shape in seen:
            continue
        seen.add(shape)
        bad = copy.deepcopy(document)
        for parent, name in fields(bad, free):
            good = parent[name]
            parent[name] = [["odd"]]
            if validator.is_valid(bad):
                sys.exit(f"{path}: the schema accepts another type for {name!r} in {parent}")
            del parent[name]
            if validator.is_valid(bad) and name not in OPTIONAL.get(file.stem, ()):
                sys.exit(f"{path}: the schema does not require {name!r} in {parent}")
            parent[name] = good
            changed += 2
print(f"the schemas accept {checked} documents and reject {changed} changed copies", file=sys.stderr)
