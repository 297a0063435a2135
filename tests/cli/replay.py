#!/usr/bin/env python3
"""`headroom replay` as a program: exit status, --out, --json, help, and how it refuses.

usage: replay.py BINARY
"""
import csv
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

BINARY = sys.argv[1]
MACHINE = ["--model", "llama-3.1-8b", "--accelerator", "h100-sxm", "--replicas", "1"]


def require(holds, text):
    if not holds:
        sys.exit(f"replay.py: {text}")


def run(*arguments, expect):
    done = subprocess.run([BINARY, "replay", *arguments], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, NO_COLOR="1"))
    require(done.returncode == expect,
            f"{arguments}: exit status {done.returncode}, expected {expect}\n{done.stdout[:2000]}{done.stderr[:2000]}")
    return done.stdout, done.stderr


def azure(rows):
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
    for i, (prompt, output) in enumerate(rows):
        lines.append(f"2023-11-16 18:{i // 60:02}:{i % 60:02}.0000000,{prompt},{output}")
    return "\n".join(lines) + "\n"


with tempfile.TemporaryDirectory() as folder:
    trace = pathlib.Path(folder) / "conv.csv"
    trace.write_text(azure([(500 + i, 50 + i % 7) for i in range(200)]))
    packed = pathlib.Path(folder) / "conv.csv.gz"
    with gzip.open(packed, "wt") as f:
        f.write(trace.read_text())

    # Plain and packed are one trace.
    plain, _ = run(str(trace), *MACHINE, "--json", expect=0)
    gz, _ = run(str(packed), *MACHINE, "--json", expect=0)
    a, b = json.loads(plain), json.loads(gz)
    a.pop("trace"), b.pop("trace")
    require(a == b, "the packed trace gives another answer")
    require(a["requests"]["finished"] == 200, f"finished {a['requests']}")

    # Same call, same bytes.
    require(run(str(trace), *MACHINE, "--json", expect=0)[0] == plain, "two runs differ")

    # Rows beside the summary; the file is whole or not there.
    out = pathlib.Path(folder) / "requests.csv"
    run(str(trace), *MACHINE, "--out", str(out), expect=0)
    with out.open() as f:
        rows = list(csv.DictReader(f))
    require(len(rows) == 200 and all(r["fate"] == "finished" for r in rows), "rows are missing")
    mean = sum(float(r["ttft_s"]) for r in rows) / 200
    require(abs(mean - a["ttft_s"]["mean"]) < 1e-5, "rows and summary differ")
    require(not list(pathlib.Path(folder).glob("*.part")), "a part of a file was left")
    _, err = run(str(trace), *MACHINE, "--out", str(out) + ".txt", expect=2)
    require("neither .csv nor .jsonl" in err, err)
    _, err = run(str(trace), *MACHINE, "--out", "/nowhere/at/all.csv", expect=2)
    require("there is no folder" in err, err)

    # SLOs: met, missed, out of reach.
    run(str(trace), *MACHINE, "--slo-ttft", "2s", expect=0)
    text, _ = run(str(trace), *MACHINE, "--slo-ttft", "1ms", expect=1)
    require("The SLOs are not met" in text, text[:500])
    text, _ = run(str(trace), *MACHINE[:4], "--slo-ttft", "1ms", expect=1)
    require("out of reach of any count" in text and "bound by" in text, text[:500])

    # Mistakes: of options, names and rows together, each in its place.
    bad = pathlib.Path(folder) / "bad.csv"
    bad.write_text(azure([(10, 10), (0, 5), (10, -1), (10, 10)]).replace("18:00:03", "17:59:03"))
    _, err = run(str(bad), "--model", "llama-3.1-8", "--system", "dgx-h100", "--tp", "nine", expect=2)
    for part in (f"{bad}:3:", f"{bad}:4:", f"{bad}:5:", "--tp nine", "llama-3.1-8b", "5 mistakes"):
        require(part in err, f"missing: {part}\n{err}")
    out, _ = run(str(bad), *MACHINE, "--json", expect=2)
    require(json.loads(out)["verdict"] == "bad input", out[:300])
    empty = pathlib.Path(folder) / "empty.csv"
    empty.write_text("")
    run(str(empty), *MACHINE, expect=2)
    run(str(pathlib.Path(folder) / "none.csv"), *MACHINE, expect=2)

    # What fits nowhere is counted and the rest is served.
    long = pathlib.Path(folder) / "long.csv"
    long.write_text(azure([(100, 10), (9000000, 10), (100, 10)]))
    text, _ = run(str(long), *MACHINE, expect=0)
    require("2 finished, 1 rejected" in text, text)

    # Help has examples and every group.
    text, _ = run("--help", expect=0)
    for part in ("Examples:", "headroom replay conv.csv.gz", "Exit status:", "--slo-ttft", "--disaggregate"):
        require(part in text, f"help lacks {part}")
