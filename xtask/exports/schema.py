"""schema.py SCHEMA FLEET…: check that the schema is valid, accepts every fleet file, and rejects unknown keys."""

import json
import sys
import tomllib

from jsonschema import Draft202012Validator

schema, *fleets = sys.argv[1:]
with open(schema, encoding="utf-8") as text:
    schema = json.load(text)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for fleet in fleets:
    with open(fleet, "rb") as text:
        declared = tomllib.load(text)
    wrong = [f"{fleet}: {error.json_path}: {error.message}" for error in validator.iter_errors(declared)]
    if wrong:
        sys.exit("\n".join(wrong))
    declared["hub"]["no-such-key"] = True
    if validator.is_valid(declared):
        sys.exit(f"{fleet}: the schema accepts an unknown key")
