#!/usr/bin/env python3
"""The examples of README.md and of the pages named in `main` run and print what is shown.

In a block fenced by ```console a line `$ build/headroom ...` is run in the project's root; the lines
below it, up to the next `$` or the end of the block, are what it prints. A line of three dots stands
for any number of lines. A block without output below a command only has to run. Exit status 2 or 3
is a failure. Other commands (`$ make demo`) are not run here.
"""
import pathlib
import re
import shlex
import sys

import house

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
from run import residual  # noqa: E402

TOLERANCE = 1e-3  # a page rounds


def examples(text):
    """(command, expected lines) of every `$ build/headroom` in console blocks."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            while command.endswith("\\") and lines:
                command = command[:-1] + lines.pop(0)
            if command.startswith("build/headroom"):
                yield command, lines


def same(a, b):
    off = residual(" ".join(a.split()), " ".join(b.split()))
    return off is not None and off <= TOLERANCE


def matches(expected, got):
    """Whether the lines agree, with `...` for any lines."""
    if not expected:
        return not got
    if expected[0].strip() == "...":
        return any(matches(expected[1:], got[i:]) for i in range(len(got) + 1))
    return bool(got) and same(expected[0], got[0]) and matches(expected[1:], got[1:])


def first_difference(expected, got):
    for a, b in zip(expected, got):
        if a.strip() == "...":
            return ""
        if not same(a, b):
            return f"  expected: {a}\n  got:      {b}\n"
    return ""


def main():
    root, build = house.folders()
    names = ("README.md", "docs/tutorial.md", "docs/train.md", "docs/infer.md", "docs/facility.md")
    pages = [root / name for name in names if (root / name).exists()]
    if not pages:
        print("no README.md yet: skipped")
        return house.SKIPPED
    found = failed = 0
    for command, expected in (e for page in pages for e in examples(page.read_text())):
        found += 1
        words = shlex.split(command.split(" | ")[0].split(" > ")[0])
        done = house.run([build / "headroom", *words[1:]], cwd=root)
        got = (done.stdout + done.stderr).rstrip("\n").split("\n")
        if done.returncode > 1 or (expected and not matches(expected, got)):
            failed += 1
            print(f"$ {command}\n  exit status {done.returncode}; not what the page shows")
            print(first_difference(expected, got) or done.stderr[:1000], end="")
    if not found:
        print("The pages show no `$ build/headroom` command in a ```console block")
    print(f"{found - failed} of {found} examples as shown")
    return 1 if failed or not found else 0


if __name__ == "__main__":
    sys.exit(main())
