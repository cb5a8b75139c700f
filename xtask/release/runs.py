"""Run shellcheck on every script in workflows and composite actions: runs.py SHELLCHECK FILE..."""

import re
import subprocess
import sys

from ruamel.yaml import YAML


def steps(document):
    jobs = document.get("jobs", {}).values()
    for owner in [*jobs, document.get("runs", {})]:
        yield from owner.get("steps", [])


def main(shellcheck, *files):
    read = 0
    failed = False
    for name in files:
        with open(name, encoding="utf-8") as file:
            document = YAML(typ="safe").load(file)
        for number, step in enumerate(steps(document), 1):
            if "run" not in step:
                continue
            # GitHub replaces expressions before the shell reads the script, so replace each with a word.
            script = re.sub(r"\$\{\{.*?\}\}", "EXPRESSION", step["run"])
            checked = subprocess.run([shellcheck, "--shell=bash", "-"], input=script, text=True)
            read += 1
            if checked.returncode:
                print(f"{name}: script of step {number} ({step.get('name', script.splitlines()[0])})")
                failed = True
    if failed or not read:
        sys.exit(f"shellcheck reported the errors above in {read} scripts" if read else "no scripts found")


main(*sys.argv[1:])
