#!/usr/bin/env python3
"""tools/check_layers.py must fail a tree that breaks src/LAYERS."""
import pathlib
import sys
import tempfile

import house

LAYERS = "base:\nspec: base\npower: base spec\ncooling: base spec\napi: base power cooling\n"
# file, its text, and what the checker must say of it; None for a tree in order
CASES = [
    ("src/power/chain.cpp", '#include "base/quantity.hpp"\n', None),
    ("src/power/chain.cpp", '#include "cooling/air.hpp"\n', "chain.cpp:1: includes cooling, may include only"),
    ("src/base/units.cpp", '\n#  include "api/headroom.hpp"\n', "units.cpp:2: includes api"),
    ("src/power/chain_test.cpp", '#include "cooling/air.hpp"\n', "chain_test.cpp:1: includes cooling"),
    ("apps/cli/main.cpp", '#include "power/chain.hpp"\n', "main.cpp:1: includes power"),
    ("apps/cli/main.cpp", '#include "api/headroom.hpp"\n', None),
    ("src/plumbing/pipe.cpp", "", "plumbing: not in"),
    ("src/LAYERS", LAYERS + "money: base\n", "names money, which has no folder"),
    ("src/LAYERS", LAYERS.replace("power: base", "power: base cooling"), "which does not stand above it"),
]


def main():
    root, _ = house.folders()
    failed = 0
    for name, text, wanted in CASES:
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder)
            for line in LAYERS.splitlines():
                (tree / "src" / line.split(":")[0]).mkdir(parents=True)
            (tree / "src" / "LAYERS").write_text(LAYERS)
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text)
            done = house.run([sys.executable, root / "tools" / "check_layers.py", tree / "src"])
        said = done.stdout + done.stderr
        right = done.returncode == 0 if wanted is None else done.returncode != 0 and wanted in said
        if not right:
            failed += 1
            print(f"{name} with {text!r}: exit status {done.returncode}, expected {wanted!r}\n{said}")
    print(f"{len(CASES) - failed} of {len(CASES)} trees judged right")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
