#!/usr/bin/env python3
"""Golden tests: a command line and what it must print.

usage: run.py BINARY [--update] [NAME...]     runs tests/golden/cases/NAME.golden, all when none is named
       run.py BINARY --new NAME ARGUMENT...   writes a new case from what the command prints now
       run.py --coverage                      every scenario has a text and a JSON case

A case is a head of `key: value` lines, an empty line, and the sections `--- stdout` and
`--- stderr` (an absent section must be empty). Keys:
  command    arguments of headroom, as in a shell, run in the project's root
  exit       expected exit status
  tolerance  relative, of every number; 1e-6 when left out
  mask       regular expression; what it matches is not compared (may be repeated)
  select     keep these paths of a JSON answer, one a line, `*` for any key or index

Texts are compared word by word: numbers within the tolerance, runs of spaces as one, since
columns move with the width of numbers. HEADROOM_TOL_SCALE multiplies every tolerance: with 0
every residual shows. `--update` rewrites the expectations: read the diff before you commit it.
"""
import difflib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CASES = HERE / "cases"
NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?")
SECTION = re.compile(r"^--- (stdout|stderr)\n", re.M)


class Case:
    def __init__(self, path):
        self.path = path
        head, *parts = SECTION.split(path.read_text())
        self.head = head
        self.sections = {"stdout": "", "stderr": ""}
        self.sections.update(zip(parts[::2], parts[1::2]))
        self.keys = [tuple(line.split(": ", 1)) for line in head.splitlines()
                     if ": " in line and not line.startswith("#")]

    def all(self, key):
        return [value for name, value in self.keys if name == key]

    def one(self, key, default=None):
        found = self.all(key)
        if len(found) > 1 or (not found and default is None):
            sys.exit(f"{self.path}: `{key}` must be given once")
        return found[0] if found else default

    def update(self, status, sections):
        head = re.sub(r"^exit: .*$", f"exit: {status}", self.head, flags=re.M)
        body = "".join(f"--- {name}\n{text}" for name, text in sections.items() if text)
        self.path.write_text(head + body)


def flatten(value, path=""):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flatten(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from flatten(item, f"{path}.{index}" if path else str(index))
    else:
        yield path, value


def selected(text, patterns):
    """The chosen paths of a JSON text as lines `path = value`."""
    wanted = [re.compile(re.escape(p).replace(r"\*", "[^.]+") + r"(\..*)?$") for p in patterns]
    lines = []
    for path, value in flatten(json.loads(text)):
        if any(w.match(path) for w in wanted):
            lines.append(f"{path} = {json.dumps(value, ensure_ascii=False)}\n")
    return "".join(lines)


def run(binary, case):
    environment = dict(os.environ, NO_COLOR="1", TERM="dumb", LC_ALL="C.UTF-8")
    done = subprocess.run([binary, *shlex.split(case.one("command"))], cwd=ROOT, env=environment,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    out = done.stdout
    if case.all("select"):
        out = selected(out, case.all("select"))
    return done.returncode, {"stdout": out, "stderr": done.stderr}


def residual(expected, got):
    """Relative difference of two words; None when they differ in more than numbers."""
    if NUMBER.sub("#", expected) != NUMBER.sub("#", got):
        return None
    worst = 0.0
    for e, g in zip(NUMBER.findall(expected), NUMBER.findall(got)):
        a, b = float(e.replace(",", "")), float(g.replace(",", ""))
        if a != b:
            worst = max(worst, abs(a - b) / max(abs(a), abs(b)))
    return worst


def compare(expected, got, tolerance, masks):
    """Lines that differ, as a list of texts."""
    for mask in masks:
        expected, got = re.sub(mask, "<masked>", expected), re.sub(mask, "<masked>", got)
    old, new = expected.splitlines(), got.splitlines()
    same = lambda a, b: residual(" ".join(a.split()), " ".join(b.split()))
    if len(old) == len(new):
        bad = []
        for number, (a, b) in enumerate(zip(old, new), 1):
            off = same(a, b)
            if off is None or off > tolerance:
                note = "text" if off is None else f"off by {off:.2g}"
                bad += [f"line {number} ({note})", f"  expected: {a}", f"  got:      {b}"]
        return bad
    return list(difflib.unified_diff(old, new, "expected", "got", lineterm="", n=1))


def check(binary, case):
    status, sections = run(binary, case)
    scale = float(os.environ.get("HEADROOM_TOL_SCALE", "1"))
    tolerance = float(case.one("tolerance", "1e-6")) * scale
    bad = []
    if status != int(case.one("exit")):
        bad.append(f"exit status {status}, expected {case.one('exit')}")
    for name, text in sections.items():
        differences = compare(case.sections[name], text, tolerance, case.all("mask"))
        bad += [f"{name}:"] + differences if differences else []
    return bad


def coverage():
    """A scenario without a golden case would change unnoticed."""
    commands = [Case(path).one("command") for path in sorted(CASES.glob("*.golden"))]
    missing = []
    for scenario in sorted((ROOT / "scenarios").glob("*.yaml")):
        name = f"scenarios/{scenario.name}"
        for command in (f"check {name}", f"check {name} --json"):
            if command not in commands:
                missing.append(f"no golden case runs `headroom {command}`")
    print("\n".join(missing) or f"{len(commands)} cases")
    return 1 if missing else 0


def new_case(binary, name, arguments):
    path = CASES / f"{name}.golden"
    path.write_text(f"command: {shlex.join(arguments)}\nexit: 0\n\n")
    case = Case(path)
    case.update(*run(binary, case))
    print(f"wrote {path.relative_to(ROOT)}")


def main():
    arguments = sys.argv[1:]
    if arguments == ["--coverage"]:
        return coverage()
    if not arguments or arguments[0].startswith("-"):
        sys.exit(__doc__)
    binary = str(pathlib.Path(arguments[0]).resolve())
    if arguments[1:2] == ["--new"]:
        return new_case(binary, arguments[2], arguments[3:])
    names = [a for a in arguments[1:] if a != "--update"]
    paths = [CASES / f"{n}.golden" for n in names] or sorted(CASES.glob("*.golden"))
    failed = 0
    for path in paths:
        case = Case(path)
        if "--update" in arguments:
            case.update(*run(binary, case))
            continue
        bad = check(binary, case)
        failed += bool(bad)
        print(f"{path.stem}: " + ("\n".join(["differs", *bad]) if bad else "as expected"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
