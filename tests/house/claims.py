#!/usr/bin/env python3
"""Every claim has the verdict its ledger expects, and docs/claims.md says so (`make docs` writes it)."""
import difflib
import sys

import house


def main():
    root, build = house.folders()
    done = house.run([build / "headroom", "claims", "--markdown"])
    if done.returncode != 0:
        said = house.run([build / "headroom", "claims"]).stdout
        print(f"headroom claims: exit status {done.returncode}: a verdict changed\n{said[-4000:]}{done.stderr}")
        return 1
    page = root / "docs" / "claims.md"
    kept = page.read_text() if page.exists() else ""
    if kept == done.stdout:
        print(f"{kept.count(chr(10))} lines, up to date")
        return 0
    diff = difflib.unified_diff(kept.splitlines(), done.stdout.splitlines(), "docs/claims.md", "generated now",
                                lineterm="", n=0)
    print("\n".join([*list(diff)[:20], "docs/claims.md is stale; run `make docs`"]))
    return 1


if __name__ == "__main__":
    sys.exit(main())
