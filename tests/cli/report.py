#!/usr/bin/env python3
"""`headroom report`: one file that says what the verbs say, and nothing half-written.

usage: report.py BINARY
"""
import csv
import io
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LARGEST = 1_500_000  # bytes of the campus's page
SLOWEST = 1.0        # seconds until it is written; on a busy machine, of a processor


def run(binary, *arguments, status=(0, 1)):
    done = subprocess.run([binary, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode in status, f"{arguments}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def answer(binary, *arguments):
    return json.loads(run(binary, *arguments).stdout)


def equal(part, verb, what):
    assert part == verb, f"{what} is not what its verb prints"


def same_as_verbs(binary, scenario, document):
    """Each part is its verb's --json, additions taken off."""
    parts = document["parts"]
    equal(parts["check"], answer(binary, "check", scenario, "--json"), "check")
    for name, words in (("chain", ["--chain"]), ("gantt", ["--gantt"]), ("supply", ["--supply"])):
        if name in parts:
            equal(parts[name], answer(binary, "facility", scenario, "--json", *words), name)
    if "year" in parts:
        hours = parts["year"].pop("hours")
        equal(parts["year"], answer(binary, "facility", scenario, "--json"), "year")
        for name, values in hours.items():
            if isinstance(values, list):
                assert len(values) == hours["count"] == parts["year"]["year"]["hours"], name
        parts["year"]["hours"] = hours
    if "train" in parts:
        verb = answer(binary, "train", scenario, "--json", "--pareto", "--ranks", "--no-advice")
        for mine, theirs in zip(parts["train"]["runs"], verb["runs"], strict=True):
            front = theirs.pop("front", None)
            for name in ("pipeline", "front", "front_in_all"):
                mine.pop(name, None)
            assert front is None or len(front) >= 1
        equal(parts["train"], verb, "train")
    if "infer" in parts:
        verb = answer(binary, "infer", scenario, "--json", "--pareto", "--no-advice", "--no-engine")
        equal(parts["infer"], verb, "infer")


def flows_add_up(flow):
    """What enters an inner node leaves it."""
    into, out = {}, {}
    for link in flow["links"]:
        assert link["value"] > 0
        out[link["from"]] = out.get(link["from"], 0) + link["value"]
        into[link["to"]] = into.get(link["to"], 0) + link["value"]
    names = {n["id"] for n in flow["nodes"]}
    assert set(into) | set(out) <= names, "a link ends at no node"
    for node in set(into) & set(out):
        assert abs(into[node] - out[node]) <= 1e-6 * into[node], f"{node}: {into[node]} in, {out[node]} out"


def figures_hold(document):
    figures, check = document["parts"]["figures"], document["parts"]["check"]
    ids = {n["id"] for n in check["trace"]}
    flows_add_up(figures["energy"]["flow"])
    if figures["money"]:
        money = figures["money"]
        flows_add_up(money["flow"])
        own = money["ways"][0]
        path = next(p for p in check["paths"] if p["key"] == own["key"])
        assert abs(sum(y["total_usd"] for y in own["years"]) - sum(m["usd"] for m in path["cash_flow"])) < 1
        for year in own["years"]:
            assert abs(sum(year["usd"].values()) - year["total_usd"]) < 1e-3 * max(1, abs(year["total_usd"]))
        assert abs(sum(own["share"].values()) - 1) < 1e-9
        for item in own["capital"] + own["operating"]:
            assert item["id"] in ids, f"{item['id']} is not in the trace"
    tornado = figures["tornado"]
    for bar in tornado["inputs"]:
        assert len(bar["at_low"]) == len(bar["at_high"]) == len(tornado["targets"])
        assert bar["at_low"] != bar["at_high"] or bar["binding_at_low"] != bar["binding_at_high"] or \
            any(bar["at_low"][i] != t["likely"] for i, t in enumerate(tornado["targets"])), bar["path"]
    if check["binding"]:
        assert tornado["targets"][0]["likely"] == next(
            m["headroom"] for m in check["margins"] if m["id"] == check["binding"])


def every_scenario(binary, folder):
    for path in sorted((ROOT / "scenarios").glob("*.yaml")):
        out = folder / f"{path.stem}.json"
        name = f"scenarios/{path.name}"
        done = run(binary, "report", name, "-o", out, status=(0,))
        assert done.stdout == done.stderr == "", "something beside the file is printed"
        document = json.loads(out.read_text())
        assert document["kind"] == "headroom-report" and document["scenario"] == path.read_text()
        assert document["failed"] == {}, document["failed"]
        same_as_verbs(binary, name, document)
        figures_hold(document)


def processor():
    """Seconds that commands took of processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def campus(binary, folder):
    name, page = "scenarios/campus-100k.yaml", folder / "campus.html"
    best, wall = 9e9, 9e9
    for _ in range(3):
        start, used = time.monotonic(), processor()
        run(binary, "report", name, "-o", page, status=(0,))
        best, wall = min(best, processor() - used), min(wall, time.monotonic() - start)
        if min(best, wall) <= SLOWEST:
            break
    size = page.stat().st_size
    print(f"campus: {size / 1e6:.2f} MB, {best:.2f} s of a processor, {wall:.2f} s on the clock")
    assert size <= LARGEST, f"{size} bytes, at most {LARGEST}"
    assert min(best, wall) <= SLOWEST, f"{wall:.2f} s ({best:.2f} s of a processor), at most {SLOWEST}"
    text = page.read_text()
    data = re.search(r'<script id="headroom-data" type="application/json">(.*?)</script>', text, re.S)
    again = folder / "campus.json"
    run(binary, "report", name, "-o", again, status=(0,))
    assert json.loads(data.group(1)) == json.loads(again.read_text()), "page and document differ"
    rest = text[:data.start()] + text[data.end():]
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)\s*=\s*[\"']?(https?:)?//", rest), "needs a network"


def same_bytes(binary, folder):
    for ending in ("html", "json", "csv", "xlsx"):
        first, second = folder / f"a.{ending}", folder / f"b.{ending}"
        for out in (first, second):
            run(binary, "report", "scenarios/chat-70b.yaml", "-o", out, status=(0,))
        assert first.read_bytes() == second.read_bytes(), f"{ending}: not the same bytes twice"


def table(binary, folder):
    out = folder / "t.csv"
    run(binary, "report", "scenarios/legacy-hall.yaml", "-o", out, status=(0,))
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    check = answer(binary, "check", "scenarios/legacy-hall.yaml", "--json")
    limits = [r for r in rows if r["kind"] == "limit"]
    assert [r["id"] for r in limits] == [m["id"] for m in check["margins"]]
    assert len(rows) == len(limits) + len(check["trace"])
    assert all(r["source"] or r["formula"] or r["kind"] in ("limit", "choice") for r in rows), "a number without origin"


def beside(binary, folder):
    out = folder / "two.json"
    run(binary, "report", "scenarios/chat-70b.yaml", "-o", out, "--set", "clusters.gpu.count=20",
        "--also", "scenarios/legacy-hall.yaml", status=(0,))
    document = json.loads(out.read_text())
    want = answer(binary, "check", "scenarios/chat-70b.yaml", "--set", "clusters.gpu.count=20", "--json")
    equal(document["parts"]["check"], want, "check with --set")
    other = document["also"][0]
    want = answer(binary, "check", "scenarios/legacy-hall.yaml", "--set", "clusters.gpu.count=20", "--json")
    equal(other["parts"]["check"], want, "the scenario beside")


def refused(binary, folder):
    """A mistake leaves what was there, and no half file."""
    out = folder / "kept.html"
    out.write_text("before")
    for arguments in (["scenarios/no-such.yaml", "-o", out], ["tests/cli/bad_units.yaml", "-o", out],
                      ["tests/cli/bad_missing_units.yaml", "-o", out], ["scenarios/chat-70b.yaml", "-o", folder / "x.pdf"],
                      ["scenarios/chat-70b.yaml", "-o", folder / "none" / "x.html"],
                      ["scenarios/chat-70b.yaml", "-o", out, "--set", "clusters.gpu.count=-1"],
                      ["scenarios/chat-70b.yaml", "-o", out, "--also", "tests/cli/bad_nan.yaml"]):
        before = sorted(p.name for p in folder.iterdir())
        done = run(binary, "report", *arguments, status=(2,))
        assert done.stdout == "" and done.stderr, "no word about the mistake"
        assert sorted(p.name for p in folder.iterdir()) == before and out.read_text() == "before"


def main():
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for test in (every_scenario, campus, same_bytes, table, beside, refused):
            test(binary, folder)
            print(f"{test.__name__}: good")


if __name__ == "__main__":
    main()
