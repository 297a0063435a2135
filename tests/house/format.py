#!/usr/bin/env python3
"""Every C++ file is as clang-format would write it (`make format` does)."""
import re
import sys

import house


def main():
    root, _ = house.folders()
    house.need("clang-format")
    files = house.tracked(root, ".hpp", ".cpp")
    done = house.run(["clang-format", "--dry-run", "-Werror", "--ferror-limit=1", *files], cwd=root)
    bad = sorted(set(re.findall(r"^([^:\n]+):\d+:\d+: error", done.stderr, re.M)))
    if done.returncode == 0:
        print(f"{len(files)} files formatted")
        return 0
    print(f"{len(bad)} of {len(files)} files are not formatted; `make format` does it:")
    print("\n".join(bad) or done.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
