#!/usr/bin/env python3
"""clang-tidy (.clang-tidy in the root) over a representative file a group of layers, and over the
files changed since the last commit, so that the check stays within a minute. All files:
  git ls-files 'src/*.cpp' | xargs clang-tidy -p build --quiet
"""
import concurrent.futures
import os
import re
import subprocess
import sys

import house

REPRESENTATIVE = ["src/base/units.cpp", "src/spec/node.cpp", "src/workload/transformer.cpp", "src/fabric/topology.cpp",
                  "src/cluster/goodput.cpp", "src/power/chain.cpp"]
MOST_CHANGED = 2


def changed(root):
    done = house.run(["git", "diff", "--name-only", "HEAD", "--", "src", "apps"], cwd=root)
    names = done.stdout.splitlines() if done.returncode == 0 else []
    return [n for n in names if n.endswith(".cpp") and not n.endswith("_test.cpp") and (root / n).is_file()][:MOST_CHANGED]


def tidy(root, build, name):
    # The build may be gcc's, whose warning flags clang does not know.
    done = subprocess.run(["clang-tidy", "-p", str(build), "--quiet", "--extra-arg=-Wno-unknown-warning-option", name],
                          cwd=root, capture_output=True, text=True)
    complaints = re.findall(r"^.*(?:warning|error): .*$", done.stdout + done.stderr, re.M)
    return name, done.returncode, complaints


def main():
    root, build = house.folders()
    house.need("clang-tidy")
    files = [n for n in dict.fromkeys(REPRESENTATIVE + changed(root)) if (root / n).is_file()]
    missing = set(REPRESENTATIVE) - set(files)
    if missing:
        print(f"no such file any more: {', '.join(sorted(missing))}")
        return 1
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, status, complaints in pool.map(lambda n: tidy(root, build, n), files):
            failed += status != 0
            print("\n".join([f"{name}: {'clean' if status == 0 else 'complaints'}", *complaints]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
