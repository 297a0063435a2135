#!/usr/bin/env python3
"""Base against head: runs two builds of a benchmark program in turns and compares them.

usage: compare.py BASE HEAD [--filter=REGEX] [--runs=N]

BASE and HEAD are programs of this folder (build/bench/train_bench) from two checkouts. The least
processor time of each benchmark over N turns counts: what disturbs a run only ever makes it
slower. Exit status 1 when one is slower by more than a tenth and by more than 10 ms.
"""
import json
import subprocess
import sys

SLOWER, AT_LEAST_S = 0.10, 0.01
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def run(program, pattern):
    """Processor seconds of an iteration by benchmark."""
    command = [program, "--benchmark_format=json", f"--benchmark_filter={pattern}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return {
        b["name"]: b["cpu_time"] * SECONDS[b["time_unit"]]
        for b in json.loads(done.stdout)["benchmarks"]
        if not b.get("error_occurred")
    }


def least(runs):
    return {name: min(r[name] for r in runs if name in r) for name in set().union(*runs)}


def main():
    options = dict(a[2:].split("=", 1) for a in sys.argv[1:] if a.startswith("--") and "=" in a)
    programs = [a for a in sys.argv[1:] if not a.startswith("--")]
    if len(programs) != 2 or set(options) - {"filter", "runs"}:
        sys.exit(__doc__)
    turns = range(int(options.get("runs", 3)))
    pairs = [[run(p, options.get("filter", ".")) for p in programs] for _ in turns]
    base, head = (least(list(runs)) for runs in zip(*pairs))
    failed = 0
    for name in sorted(base.keys() & head.keys()):
        worse = head[name] > base[name] * (1 + SLOWER) and head[name] > base[name] + AT_LEAST_S
        failed += worse
        print(f"{name}: {base[name]:.4g} s -> {head[name]:.4g} s"
              f" ({head[name] / base[name] - 1:+.1%}){'  SLOWER' if worse else ''}")
    for name in sorted(base.keys() ^ head.keys()):
        print(f"{name}: only in {'base' if name in base else 'head'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
