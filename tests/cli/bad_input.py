#!/usr/bin/env python3
"""Bad input gives clear messages, exit status 2, within a second and 512 MB.

usage: bad_input.py BINARY CASE...    a case is a file bad_*.yaml here, or a name of `GENERATED`
       bad_input.py --list            names of the generated cases

A file names what is expected in comments:
  # expect: 3:10: clusters.gpu.system: the catalogue has no system    (line:column: path: message)
  # expect: clusters.gpu.hall                                         (no line: the text is in the output)
  # hint: did you mean 'dgx-h100'?
  # set: a.b=1                                                        (adds --set a.b=1)
Every mistake must be expected and nothing else may be reported. The same run with --json must
print the same mistakes as valid JSON on standard output.

Time is processor time, so that a busy machine fails nothing. HEADROOM_SLOW_BUILD=1 (a build with
sanitizers) lifts the memory limit and allows ten times as long.
"""
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SLOW = os.environ.get("HEADROOM_SLOW_BUILD") == "1"
MOST_SECONDS = 10 if SLOW else 1
MOST_BYTES = 512 << 20

VALID = """name: small
clusters: [{name: gpu, system: dgx-h100, count: 2}]
workloads: [{name: tune, kind: train, model: llama-3.1-8b, tokens: 1e9 token}]
"""


class Failure(Exception):
    pass


def require(holds, text):
    if not holds:
        raise Failure(text)


def limit_memory():
    if not SLOW:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def headroom(binary, arguments, stdin=None, user=None):
    """(exit status, stdout, stderr) of one run within its limits."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([binary, *arguments], capture_output=True, timeout=60, preexec_fn=limit_memory,
                          stdin=stdin or subprocess.DEVNULL, env=dict(os.environ, NO_COLOR="1"), user=user)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    require(seconds < MOST_SECONDS, f"took {seconds:.2f} s of processor time")
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def refused(binary, arguments, stdin=None):
    """Runs both forms; returns the text and the diagnostics of the JSON."""
    status, out, text = headroom(binary, arguments, stdin)
    require(status == 2, f"exit status {status}, expected 2\n{out[:300]}{text[:2000]}")
    require(out == "", f"printed on standard output: {out[:300]}")
    require(re.search(r"^\d[\d,]* mistakes?; nothing was computed$", text, re.M), f"no closing count in:\n{text[:2000]}")
    require("\x1b" not in text and "\0" not in text, "control characters in the message")
    if stdin is not None:
        stdin.seek(0)
    status, out, err = headroom(binary, [*arguments, "--json"], stdin)
    require(status == 2, f"exit status {status} with --json, expected 2")
    require(err == "", f"--json printed on standard error: {err[:300]}")
    answer = json.loads(out)
    require(answer["verdict"] == "bad input", "the JSON's verdict is not 'bad input'")
    require(answer["count"] >= 1 and answer["diagnostics"], "the JSON names no mistake")
    for d in answer["diagnostics"]:
        require(d["message"] and d["message"] in text.replace("\n", " ") or "\n" in d["message"],
                f"in the JSON, not in the text: {d['message']}")
        require(len(d["message"]) < 600 and len(d["hint"]) < 2000, "a message nobody reads to its end")
    return text, answer


def directives(text, key):
    return re.findall(rf"^# {key}: (.+)$", text, re.M)


def check_file(binary, name):
    path = HERE / name
    source = path.read_text()
    sets = [argument for s in directives(source, "set") for argument in ("--set", s)]
    text, answer = refused(binary, ["check", str(path), *sets])
    expected = directives(source, "expect")
    require(expected, f"{name} expects nothing")
    for line in expected:
        wanted = f"{path}:{line}" if re.match(r"\d+:\d+: ", line) else line
        require(wanted in text, f"missing: {line}\n--- got\n{text}")
    for hint in directives(source, "hint"):
        require(f"hint: {hint}" in text, f"missing hint: {hint}\n--- got\n{text}")
    require(answer["count"] == len(expected),
            f"{answer['count']} mistakes reported, {len(expected)} expected\n--- got\n{text}")


# --- Generated cases: what no one keeps in a repository -------------------------


def expect(binary, arguments, *wanted, stdin=None):
    text, _ = refused(binary, arguments, stdin)
    for part in wanted:
        require(part in text, f"missing: {part}\n--- got\n{text[:2000]}")


def file_with(folder, content, name="scenario.yaml"):
    path = pathlib.Path(folder) / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def missing_file(binary, folder):
    expect(binary, ["check", f"{folder}/none.yaml"], f"{folder}/none.yaml: cannot be opened for reading: No such file")


def directory_as_file(binary, folder):
    expect(binary, ["check", folder], "Is a directory")


def unreadable(binary, folder):
    """Files and folders without permission; root, who may read everything, becomes nobody."""
    nobody = 65534 if os.geteuid() == 0 else None
    path, secret = file_with(folder, VALID), pathlib.Path(folder) / "secret"
    (secret / "accelerator").mkdir(parents=True)
    os.chmod(folder, 0o755)
    os.chmod(secret / "accelerator", 0)
    try:
        status, _, err = headroom(binary, ["check", path, "--catalog", str(secret)], user=nobody)
        require(status == 2 and "accelerator: cannot be read: Permission denied" in err, f"{status}: {err}")
        os.chmod(path, 0)
        status, _, err = headroom(binary, ["check", path], user=nobody)
        require(status == 2 and "cannot be opened for reading: Permission denied" in err, f"{status}: {err}")
    except PermissionError:  # the program itself lies where nobody may not go
        print("  not tried: the build folder is private")


def empty_file(binary, folder):
    expect(binary, ["check", file_with(folder, "")], ":1:1: the file is empty")
    expect(binary, ["check", file_with(folder, "# only a comment\n")], "the file is empty")


def binary_file(binary, folder):
    expect(binary, ["check", file_with(folder, bytes(range(256)) * 64)], ":1:1: a NUL byte")
    program = pathlib.Path(binary).read_bytes()[:100_000]
    expect(binary, ["check", file_with(folder, program)], ":1:5: a control character: this is not a text file")
    expect(binary, ["check", file_with(folder, b"name: caf\xe9\n")], ":1:10: a byte that is not UTF-8")
    expect(binary, ["check", file_with(folder, "name: x".encode("utf-16"))], ":1:1:")


def truncated_file(binary, folder):
    scenario = (HERE.parent.parent / "scenarios" / "llama3-405b.yaml").read_bytes()
    refusals = 0
    for at in range(len(scenario) // 20, len(scenario), len(scenario) // 20):
        status, _, text = headroom(binary, ["check", file_with(folder, scenario[:at])])
        require(status in (0, 1, 2), f"exit status {status} when cut at byte {at}\n{text}")
        refusals += status == 2
    require(refusals > 5, "a truncated scenario is taken for a whole one")
    expect(binary, ["check", file_with(folder, "name: 'not closed\nclusters: []\n")], ":1:7: this quote is not closed")
    expect(binary, ["check", file_with(folder, "clusters: [{name: gpu")], ":1:12: this '{' is not closed")


def huge_file(binary, folder):
    path = pathlib.Path(folder) / "huge.yaml"
    with open(path, "wb") as file:
        file.write(b"name: huge\n")
        file.truncate(1 << 30)
    expect(binary, ["check", str(path)], "larger than 4 MiB")
    with open(path, "rb") as stdin:
        expect(binary, ["check", "-"], "larger than 4 MiB", stdin=stdin)


def endless_file(binary, folder):
    del folder
    expect(binary, ["check", "/dev/zero"], "larger than 4 MiB")


def deep_nesting(binary, folder):
    for text in ("[" * 3_000_000, "a: " + "{a: " * 900_000, "- " * 50_000, "[" * 60_000 + "]" * 60_000,
                 "".join(" " * i + "a:\n" for i in range(2000))):
        path = file_with(folder, text)
        status, _, err = headroom(binary, ["check", path])
        require(status == 2 and (f"{path}:" in err), f"exit status {status} for {text[:20]}...\n{err[:500]}")
    expect(binary, ["check", file_with(folder, "a: " + "[" * 100 + "]" * 100)], "nested deeper than 64 levels")


def alias_bomb(binary, folder):
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for i in range(1, 12):
        name, before = chr(97 + i), chr(96 + i)
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    expect(binary, ["check", file_with(folder, "\n".join(lines))], "once its aliases (*) are expanded")
    text = "name: &x " + "y" * 3_000_000 + "\nclusters: [" + "*x, " * 50_000 + "1]\n"
    expect(binary, ["check", file_with(folder, text)], "once its aliases (*) are expanded")
    expect(binary, ["check", file_with(folder, "name: &a [*a]\n")], "an alias (*) to an anchor that is still open")
    expect(binary, ["check", file_with(folder, "name: *nobody\n")], ":1:7:")


def many_mistakes(binary, folder):
    text = "name: many\n" + "".join(f"key_{i}: 1\n" for i in range(90_000))
    expect(binary, ["check", file_with(folder, text)], ":2:1: key_0: unknown key", "and 89800 more",
           "90000 mistakes; nothing was computed")
    text = VALID + "storage:\n  tiers:\n" + "".join(
        f"  - {{name: t{i}, system: no-such-thing-{i}}}\n" for i in range(1900))
    expect(binary, ["check", file_with(folder, text)], "the catalogue has no")
    expect(binary, ["check", file_with(folder, "name: x\nclusters: [" + "{}, " * 60_000 + "{}]\n")], "at most")


def long_values(binary, folder):
    for value in ("9" * 3_000_000 + " kW", "1" + "_" * 3_000_000 + " kW", "1 " + "k" * 3_000_000, "x" * 3_000_000,
                  "1 x " * 700_000, "@" * 3_000_000, "1 kW @assumed(" + "(" * 3_000_000, "1" + "/m" * 1_500_000):
        text = f"name: x\npower: {{grid: {{capacity: '{value}'}}}}\n"
        expect(binary, ["check", file_with(folder, text)], "power.grid.capacity")
    expect(binary, ["check", file_with(folder, "name: x\n'" + "k" * 1000 + "': 1\n")], "unknown key")


def terminal_escapes(binary, folder):
    text = 'name: x\n"\\e[2J\\e[31mred": 1\nclusters: [{name: "\\e]0;title\\a", system: "\\e[2Jdgx", count: 1}]\n'
    expect(binary, ["check", file_with(folder, text)], "unknown key", "the catalogue has no system")


def standard_input(binary, folder):
    with open(file_with(folder, VALID + "wrong: 1\n"), "rb") as stdin:
        expect(binary, ["check", "-"], "<stdin>:4:1: wrong: unknown key", stdin=stdin)


def set_errors(binary, folder):
    path = file_with(folder, VALID)
    for wrong, message in {
        "count": "expected path=value", "=1": "expected path=value", "": "expected path=value",
        "clusters.gpu.count=": "clusters.gpu.count", "clusters.gpu.count=many": "'many' is not a number",
        "clusters.gpuu.count=2": "did you mean 'gpu'?", "clusters.gpu.cuont=2": "did you mean 'count'?",
        "clusters.3.count=2": "nothing is called '3' here", "clusters.gpu.name.x=1": "nothing is called 'x' here",
        "clusters=[": "this '[' is not closed", "clusters.gpu.system=dgx-h10": "did you mean 'dgx-h100'",
        "clusters.gpu.count=-1": "out of range", "power.grid.capacity=5": "has no unit",
        "power.grid.capacity=.nan": "is not a number", "name=[1, 2]": "expected a single value",
        "a" + ".a" * 5000 + "=1": "the path is too long",
    }.items():
        expect(binary, ["check", path, "--set", wrong], message)
    expect(binary, ["check", path, "--set", "clusters.gpu.cuont=2", "--set", "nam=x"], "2 mistakes")


def catalogue_folder(binary, folder):
    path = file_with(folder, VALID)
    overlay = pathlib.Path(folder) / "overlay"

    def overlaid(text, *wanted, kind="accelerator", name="mine.yaml"):
        (overlay / kind).mkdir(parents=True, exist_ok=True)
        file = overlay / kind / name
        file.write_text(text)
        expect(binary, ["check", path, "--catalog", str(overlay)], *wanted)
        file.unlink()
        (overlay / kind).rmdir()

    expect(binary, ["check", path, "--catalog", f"{folder}/none"], f"{folder}/none: is not a folder")
    expect(binary, ["check", path, "--catalog", path], "is not a folder")
    head = "sources:\n  me: {title: Measured here, date: 2026-11, trust: measured}\nentries:\n"
    overlaid(head + "  - {id: mine, name: Mine}\n", "is not a kind of the catalogue", "did you mean 'accelerator'?",
             kind="acelerator")
    overlaid(head + "  - id: mine\n    source: mee\n    name: Mine\n", "mine.yaml:5:13:", "no source is called 'mee'",
             "did you mean 'me'?")
    overlaid(head + "  - id: mine\n    name: Mine\n    memory: 80 GB\n", "mine.yaml:6:13:",
             "accelerator mine.memory: this number has no source")
    overlaid(head + "  - id: mine\n    source: me\n    name: Mine\n    memory: 80 Gbps\n", "mine.yaml:7:13:",
             "'Gbps' is not a unit known here")
    overlaid(head + "  - id: mine\n    source: me\n    memori: 80 GB\n", "mine.yaml:6:5:", "memori: unknown key",
             "'name' is missing")
    overlaid("entries: 3\n", "mine.yaml", "a catalogue file is a map with 'sources' and 'entries'")
    overlaid("", "mine.yaml:1:1: the file is empty")
    overlaid(head + "  - {name: No id, source: me}\n", "'id' is missing")
    overlaid(head + "  - 3\n", "mine.yaml:4:5:")
    entry = "  - {id: mine, source: me, name: Mine, memory: 80 GB, memory_bandwidth: 3 TB/s}\n"
    overlaid(head + entry + entry, "mine.yaml:5:10:", "'mine' is given twice", "mine.yaml at line 4")
    overlaid(head + entry + "entrys: []\n", "mine.yaml:5:1: entrys: unknown key", "did you mean 'entries'?")
    overlaid(head + entry.replace("80 GB", "80 Gbps"), "'Gbps' is not a unit", name="mine.yml")
    (overlay / "mine.yaml").write_text(head + entry)
    expect(binary, ["check", path, "--catalog", str(overlay)], "mine.yaml: stands in no kind's folder")
    (overlay / "mine.yaml").rename(overlay / "README.md")
    # An empty folder lays nothing over the catalogue.
    status, _, text = headroom(binary, ["check", path, "--catalog", str(overlay)])
    require(status in (0, 1), f"an empty folder gives exit status {status}\n{text}")


def huggingface_paths(binary, folder):
    def with_config(config):
        models = f"models: [{{id: mine, config: {config}}}]\n"
        return file_with(folder, models + VALID.replace("model: llama-3.1-8b", "model: mine"))

    for outside in ("../../etc/passwd", "/etc/passwd", "a/../../../etc/passwd", "link/passwd"):
        link = pathlib.Path(folder) / "link"
        if not link.exists():
            link.symlink_to("/etc")
        expect(binary, ["check", with_config(outside)], f"'{outside}' lies outside the scenario's folder")
    expect(binary, ["check", with_config("none.json")], "none.json", "cannot read the file")
    (pathlib.Path(folder) / "broken.json").write_text('{"model_type": "llama",\n "hidden_size": }')
    expect(binary, ["check", with_config("broken.json")], "broken.json:2:17: not valid JSON")
    (pathlib.Path(folder) / "deep.json").write_text("[" * 1_000_000)
    expect(binary, ["check", with_config("deep.json")], "deep.json", "not valid JSON")
    (pathlib.Path(folder) / "other.json").write_text('{"model_type": "lama"}')
    expect(binary, ["check", with_config("other.json")], "other.json:1:2:", "'lama' is not known", "llama")


def wrong_commands(binary, folder):
    path = file_with(folder, VALID)
    for arguments in ([], ["chekc"], ["check"], ["check", path, "--jsno"], ["check", path, "--json", "--csv"],
                      ["explain", path], ["check", path, "--set"]):
        status, out, err = headroom(binary, arguments)
        require(status == 2, f"headroom {' '.join(arguments)}: exit status {status}, expected 2")
        require(err and not out, f"headroom {' '.join(arguments)}: a mistake belongs on standard error")
    for arguments, wanted in ((["catalog", "modle"], "did you mean 'model'?"),
                              (["catalog", "system", "dgx-h10"], "did you mean 'dgx-h100'"),
                              (["schema", "scenrio"], "did you mean 'scenario'?"),
                              (["explain", path, "no.such.figure"], "no.such.figure"),
                              (["claims", "no-such-claim"], "no-such-claim")):
        status, out, err = headroom(binary, arguments)
        require(status == 2 and wanted in err and not out, f"headroom {' '.join(arguments)}: {status}\n{out}{err}")


GENERATED = {f.__name__: f for f in (
    missing_file, directory_as_file, unreadable, empty_file, binary_file, truncated_file, huge_file, endless_file,
    deep_nesting, alias_bomb, many_mistakes, long_values, terminal_escapes, standard_input, set_errors,
    catalogue_folder, huggingface_paths, wrong_commands)}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(GENERATED))
        return 0
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    failed = 0
    for case in sys.argv[2:]:
        try:
            if case in GENERATED:
                with tempfile.TemporaryDirectory() as folder:
                    GENERATED[case](binary, folder)
            else:
                check_file(binary, case)
            print(f"{case}: refused as expected")
        except (Failure, subprocess.TimeoutExpired) as failure:
            failed += 1
            print(f"{case}: {failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
