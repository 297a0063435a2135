#!/usr/bin/env python3
"""docs/reference is what `headroom schema --docs` writes (`make docs` does it)."""
import difflib
import pathlib
import sys
import tempfile

import house


def pages(folder):
    return {p.name: p.read_text() for p in sorted(folder.glob("*.md"))}


def main():
    root, build = house.folders()
    with tempfile.TemporaryDirectory() as folder:
        done = house.run([build / "headroom", "schema", "--docs", folder])
        if done.returncode != 0:
            print(f"headroom schema --docs: exit status {done.returncode}\n{done.stderr}")
            return 1
        written = pages(pathlib.Path(folder))
    kept = pages(root / "docs" / "reference")
    stale = [name for name in sorted(set(written) | set(kept)) if written.get(name) != kept.get(name)]
    for name in stale:
        diff = difflib.unified_diff(kept.get(name, "").splitlines(), written.get(name, "").splitlines(),
                                    f"docs/reference/{name}", "generated now", lineterm="", n=0)
        print("\n".join(list(diff)[:12]))
    print(f"{len(stale)} of {len(written)} pages are stale; run `make docs`" if stale else f"{len(written)} pages")
    return 1 if stale or not written else 0


if __name__ == "__main__":
    sys.exit(main())
