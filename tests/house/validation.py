#!/usr/bin/env python3
"""docs/validation.md, which tools/fit-train writes, is there. Its figures need the project's data,
which a checkout may lack: `tools/fit-train --check` compares them."""
import sys

import house


def main():
    root, _ = house.folders()
    page = root / "docs" / "validation.md"
    if not page.is_file() or not page.read_text().startswith("# Validation\n"):
        print("no docs/validation.md: run tools/fit-train")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
