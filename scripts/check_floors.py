#!/usr/bin/env python3
"""Holds the imports of the application against the floors in ARCHITECTURE.md.

Fails when a feature names one of a higher floor that the list of exceptions does not know, when a feature stands on no
floor, and when an exception is needed no more. Pages, API handlers and unit tests of a feature are faces and not looked at.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ROOT / "crates" / "kehu" / "src"
FACE = re.compile(r"(web|.*api|api_.*|page_parts|tests)(\.rs)?$")


def documented():
    """Floor by feature, and the pairs that may look up."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.split("## Floors of the application")[1].split("\n## ")[0]
    floors, allowed = {}, set()
    for number, names in re.findall(r"^(\d)\. \*\*(.*?)(?=^\d\. |^[A-Z])", section, re.M | re.S):
        for name in re.findall(r"`([a-z0-9_/]+)`", names):
            floors[name] = int(number)
    for left, right in re.findall(r"^- (.*?) → (.*?):", section, re.M):
        for above in re.findall(r"`([a-z_]+)`", right):
            allowed |= {(below, above) for below in re.findall(r"`([a-z_]+)`", left)}
    return floors, allowed


def place(path, floors):
    """The feature a file belongs to: its folder, or a part of it that stands on a floor of its own."""
    parts = list(path.relative_to(SOURCES).with_suffix("").parts)
    part = "/".join(parts[:2])
    return part if part in floors else parts[0]


def named(source):
    """The features a file names."""
    source = source.split("#[cfg(test)]")[0]
    names = set(re.findall(r"crate::([a-z_]+)", source))
    for block in re.findall(r"use crate::\{(.*?)\};", source, re.S):
        flat = re.sub(r"\{[^{}]*\}", "", re.sub(r"\{[^{}]*\}", "", block))
        names |= {part.strip().split("::")[0] for part in flat.split(",")}
    return names


def main():
    floors, allowed = documented()
    wrong, used, seen = [], set(), set()
    for path in sorted(SOURCES.rglob("*.rs")):
        inner = path.relative_to(SOURCES)
        feature = place(path, floors)
        if inner.as_posix() in {"lib.rs", "main.rs"}:
            continue
        seen.add(feature)
        if feature not in floors:
            wrong.append(f"{inner}: {feature} stands on no floor of ARCHITECTURE.md")
            continue
        if feature != "web" and any(FACE.match(part) for part in inner.parts[1:]):
            continue
        for other in sorted(named(path.read_text(encoding="utf-8"))):
            if floors.get(other, 0) <= floors[feature]:
                continue
            if (feature, other) in allowed:
                used.add((feature, other))
            else:
                wrong.append(f"{inner}: {feature} (floor {floors[feature]}) names {other} (floor {floors[other]})")
    wrong += [f"ARCHITECTURE.md: {name} is not in crates/kehu/src" for name in sorted(set(floors) - seen)]
    wrong += [f"ARCHITECTURE.md: {low} → {high} is needed no more" for low, high in sorted(allowed - used)]
    print("\n".join(wrong) if wrong else f"{len(seen)} features stand on their floors")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
