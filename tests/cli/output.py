#!/usr/bin/env python3
"""What a program can rely on in the output of a scenario that reads.

usage: output.py BINARY

For every scenario: the exit status says what the verdict says; text, JSON and CSV tell the same
limits; standard input reads as the file does; nothing but the answer is printed; there is no colour
without a terminal; `--set` to the value that is there changes nothing, and one that matters does.
"""
import csv
import io
import json
import os
import pathlib
import pty
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run(binary, *arguments, stdin=None):
    done = subprocess.run([binary, *arguments], cwd=ROOT, capture_output=True, text=True, stdin=stdin, timeout=60)
    assert done.returncode in (0, 1), f"{arguments}: exit status {done.returncode}\n{done.stderr}"
    assert done.stderr == "", f"{arguments}: printed on standard error: {done.stderr}"
    return done.returncode, done.stdout


def on_a_terminal(binary, *arguments, **environment):
    """Standard output of a run that believes it talks to a person."""
    master, slave = pty.openpty()
    process = subprocess.Popen([binary, *arguments], cwd=ROOT, stdout=slave,
                               env=dict({k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **environment))
    os.close(slave)
    out = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        out += part
    os.close(master)
    process.wait()
    return out.decode()


def check_scenario(binary, name):
    status, text = run(binary, "check", name)
    json_status, answer = run(binary, "check", name, "--json")
    csv_status, table = run(binary, "check", name, "--csv")
    assert status == json_status == csv_status, "the exit status depends on the form"
    verdict = json.loads(answer)
    assert status == (0 if verdict["verdict"] == "fits" else 1), "exit status and verdict disagree"
    assert "\x1b" not in text, "colour without a terminal"
    assert text.splitlines()[0] == verdict["scenario"]

    rows = list(csv.DictReader(io.StringIO(table)))
    assert [r["id"] for r in rows] == [m["id"] for m in verdict["margins"]], "CSV and JSON list different limits"
    for row, margin in zip(rows, verdict["margins"]):
        assert float(row["need"]) == margin["need"]["value"], row["id"]
        assert row["holds"] == ("true" if margin["holds"] else "false"), row["id"]
        assert None not in row and None not in row.values(), f"{row['id']}: a column too many or too few"

    with open(ROOT / name) as stdin:
        _, same = run(binary, "check", "-", "--json", stdin=stdin)
    same = json.loads(same)
    assert same["margins"] == verdict["margins"], "standard input gives another answer than the file"

    run(binary, "explain", name, verdict["binding"])


def check_set(binary):
    name = "scenarios/legacy-hall.yaml"
    _, before = run(binary, "check", name, "--csv")
    _, same = run(binary, "check", name, "--csv", "--set", "clusters[0].count=48")
    assert before == same, "--set to the value that is there changed the answer"
    _, by_name = run(binary, "check", name, "--csv", "--set", "clusters.gpu.count=24")
    _, by_index = run(binary, "check", name, "--csv", "--set", "clusters.0.count=24")
    assert by_name == by_index != before, "--set by name and by index differ, or change nothing"


def check_units(binary):
    """A limit's figures are in the unit beside them, in every verb's JSON."""
    name = "scenarios/nvl72-row.yaml"
    known = {m["id"]: m for m in json.loads(run(binary, "check", name, "--json")[1])["margins"]}
    layout = json.loads(run(binary, "facility", name, "--layout", "--json")[1])
    limits = [limit for hall in layout["halls"] for limit in hall["limits"] if limit["id"] in known]
    assert any(limit["unit"] == "kPa" for limit in limits), "no floor load in the layout"
    for limit in limits:
        for side in ("need", "have"):
            assert {"value": limit[side], "unit": limit["unit"]} == known[limit["id"]][side], f"{limit['id']}: {side}"
    swings = json.loads(run(binary, "facility", name, "--transient", "--json")[1])
    start = next(m for m in swings["margins"] if m["id"] == "power.transient.start-second")
    in_si = start["need"] * {"W/s": 1, "kW/s": 1e3, "MW/s": 1e6}[start["unit"]]
    assert abs(in_si - swings["events"]["ramp_second_w_per_s"]) <= 1e-9 * in_si, "ramp of a start"


def check_colour(binary):
    try:
        for end in pty.openpty():
            os.close(end)
    except OSError:  # a root without /dev/pts has no terminals to try
        print("no pseudo-terminal here: colour is not tried")
        return
    name = "scenarios/legacy-hall.yaml"
    assert "\x1b[" in on_a_terminal(binary, "check", name, TERM="xterm"), "no colour on a terminal"
    assert "\x1b[" not in on_a_terminal(binary, "check", name, TERM="xterm", NO_COLOR="1"), "NO_COLOR is ignored"
    assert "\x1b[" not in on_a_terminal(binary, "check", name, TERM="dumb"), "colour on a dumb terminal"
    assert "\x1b[" not in on_a_terminal(binary, "check", name, "--json", TERM="xterm"), "colour in JSON"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    names = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "scenarios").glob("*.yaml"))
    for name in names:
        try:
            check_scenario(binary, name)
        except AssertionError as failure:
            sys.exit(f"{name}: {failure}")
    check_set(binary)
    check_units(binary)
    check_colour(binary)
    print(f"{len(names)} scenarios")


if __name__ == "__main__":
    main()
