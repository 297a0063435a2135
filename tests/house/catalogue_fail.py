#!/usr/bin/env python3
"""The build's check of the catalogue must stop on mistakes that would only leave a number out."""
import pathlib
import sys
import tempfile

import house

HEAD = 'sources:\n  sheet: {title: "A data sheet", date: 2026}\nentries:\n'
SWITCH = HEAD + ("  - id: one\n    source: sheet\n    name: One\n    technology: infiniband\n"
                 "    ports: 64\n    speed: 400 Gb/s\n")
# file, its text, and what the check must say of it; None for a catalogue in order
CASES = [
    ("switch/a.yaml", SWITCH, None),
    # A comma ends a plain text in a flow map: the source is cut, a key called "b)" is left.
    ("switch/a.yaml", SWITCH + "    power: {max: 9 W @assumed(a, b), typical: 5 W}\n",
     "a.yaml:10:18: switch one.power.max: "),
    ("switch/a.yaml", SWITCH + "    latency: 150\n", "a.yaml:10:14: "),
    ("switch/a.yaml", SWITCH + "    weight: 3 kg @sheat\n", "a.yaml:10:13: "),
    ("switch/a.yaml", SWITCH + "    wieght: 3 kg\n", "did you mean 'weight'"),
    ("switch/a.yaml", SWITCH + "    power: {max: 9 W\n", "a.yaml:"),
    ("swich/a.yaml", SWITCH, "is not a kind of the catalogue"),
]


def main():
    _, build = house.folders()
    program = build / "headroom_check_catalog"
    if not program.exists():
        print(f"{program} is not built: skipped")
        return house.SKIPPED
    failed = 0
    for name, text, wanted in CASES:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / name
            file.parent.mkdir(parents=True)
            file.write_text(text)
            done = house.run([program, folder])
        said = done.stdout + done.stderr
        right = done.returncode == 0 if wanted is None else done.returncode == 1 and wanted in said
        if not right:
            failed += 1
            print(f"{name} with {text!r}: exit status {done.returncode}, expected {wanted!r}\n{said}")
    print(f"{len(CASES) - failed} of {len(CASES)} catalogues judged right")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
