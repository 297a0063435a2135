#!/usr/bin/env python3
"""Fails when an #include breaks src/LAYERS.

usage: check_layers.py [SRC]

A file of layer L may include "L/..." and "X/..." for every X that L's line names.
Applications and tools may include only what APPS below says. Layers that stand
side by side never include each other.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z_]+)/')
# Programs outside src see the facade; the packer runs before the catalogue exists, its checker right
# after; the fitting tool prints terms that the facade does not show.
APPS = {"apps": {"api", "server", "base", "spec"}, "tools": {"spec", "base"}, "tools/pack/check.cpp": {"spec", "base", "catalog"},
        "tools/fit_infer": {"base", "catalog", "workload", "fabric", "compute", "infer"}}


def read_layers(path):
    layers, allowed = [], {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, _, uses = line.partition(":")
        uses = uses.split()
        for used in uses:
            if used not in layers:
                sys.exit(f"{path}:{number}: {name} names {used}, which does not stand above it")
        layers.append(name)
        allowed[name] = set(uses) | {name}
    return allowed


def check(folder, may, where, but=()):
    """Files of a folder, or one file; those below a path in `but` have rules of their own."""
    bad = []
    for file in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
        if file.suffix not in (".hpp", ".cpp") or any(file == b or b in file.parents for b in but):
            continue
        test = file.name.endswith("_test.cpp")
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match[1] in where and match[1] not in may and not (test and match[1] == "catalog"):
                bad.append(f"{file}:{number}: includes {match[1]}, may include only {', '.join(sorted(may))}")
    return bad


def main():
    src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    allowed = read_layers(src / "LAYERS")
    folders = {p.name for p in src.iterdir() if p.is_dir()}
    bad = [f"{src / name}: not in {src / 'LAYERS'}" for name in sorted(folders - set(allowed))]
    bad += [f"{src / 'LAYERS'}: names {name}, which has no folder" for name in sorted(set(allowed) - folders)]
    for name in sorted(folders & set(allowed)):
        bad += check(src / name, allowed[name], set(allowed))
    for name, may in APPS.items():
        if (src.parent / name).exists():
            own = [src.parent / other for other in APPS if other.startswith(name + "/")]
            bad += check(src.parent / name, may, set(allowed), own)
    print("\n".join(bad) if bad else f"layers: {len(allowed)} in order")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
