#!/usr/bin/env python3
"""Misuse of units must not compile.

usage: run.py FILE COMPILER [FLAG...]

The file is compiled twice: with -DPOSITIVE, the right use, which must compile, so that
the test cannot pass because an include is missing; and without, the misuse, which must
fail with the error that the file's `// expect:` line describes (a regular expression).
"""
import pathlib
import re
import subprocess
import sys


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    file = pathlib.Path(sys.argv[1])
    command = [*sys.argv[2:], "-fsyntax-only", "-fdiagnostics-color=never", str(file)]
    expected = re.search(r"^// expect: (.+)$", file.read_text(), re.M)
    if not expected:
        sys.exit(f"{file}: has no `// expect:` line")
    right = subprocess.run(command + ["-DPOSITIVE"], capture_output=True, text=True)
    if right.returncode != 0:
        sys.exit(f"{file}: the right use does not compile\n{right.stderr}")
    wrong = subprocess.run(command, capture_output=True, text=True)
    if wrong.returncode == 0:
        sys.exit(f"{file}: the misuse compiles")
    if not re.search(expected[1], wrong.stderr):
        sys.exit(f"{file}: fails for another reason than '{expected[1]}'\n{wrong.stderr}")
    print(f"{file.stem}: refused")


if __name__ == "__main__":
    main()
