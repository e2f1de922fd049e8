#!/usr/bin/env python3
"""Holds docs/dependencies.md against what the manifests name.

Fails when a direct dependency has no line there, when a line speaks of none, when its licence is not what the package
says of itself, and when the workspace lists a dependency that no crate uses.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "dependencies.md"
# Tools named in requirements.txt that are used directly; the rest of that file is what they need.
PYTHON = {"schemathesis"}


def documented():
    """Name to licence, from the table rows of the page."""
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if len(cells) == 4 and cells[0] != "package" and not set(cells[0]) <= set("- "):
            rows[cells[0]] = cells[2]
    return rows


def licence(text):
    """One spelling for the licences that packages write differently."""
    return re.sub(r"\s*/\s*", " OR ", text).replace("BSD-0-Clause", "0BSD")


def main():
    problems = []
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["dependencies"]
    locked = ["--locked"] if os.environ.get("CI") else []
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version", "1", *locked],
            cwd=ROOT, check=True, stdout=subprocess.PIPE,
        ).stdout
    )
    members = set(metadata["workspace_members"])
    packages = metadata["packages"]
    own = {package["name"] for package in packages if package["id"] in members}
    used = {dep["name"] for package in packages if package["id"] in members for dep in package["dependencies"]} - own

    needed = {}
    for name in used | (set(workspace) - own):
        said = {licence(package["license"] or "") for package in packages if package["name"] == name}
        needed[name] = said
        if name not in used:
            problems.append(f"Cargo.toml: {name} is listed in [workspace.dependencies] but used by no crate")
    for folder in ("web", "e2e"):
        manifest = json.loads((ROOT / folder / "package.json").read_text(encoding="utf-8"))
        locked = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        for name in {**manifest.get("dependencies", {}), **manifest.get("devDependencies", {})}:
            said = locked.get(f"node_modules/{name}", {}).get("license")
            needed[name] = {licence(said)} if said else set()
    for name in PYTHON:
        needed[name] = set()

    rows = documented()
    for name in sorted(needed.keys() - rows.keys()):
        problems.append(f"docs/dependencies.md: {name} has no line ({' or '.join(needed[name]) or 'licence unknown'})")
    for name in sorted(rows.keys() - needed.keys()):
        problems.append(f"docs/dependencies.md: {name} is no direct dependency any more")
    for name in sorted(rows.keys() & needed.keys()):
        if needed[name] and rows[name] not in needed[name]:
            problems.append(f"docs/dependencies.md: {name} says {rows[name]}, the package {' or '.join(needed[name])}")

    print("\n".join(problems) or f"{len(rows)} direct dependencies, each with its line")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
