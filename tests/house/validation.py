#!/usr/bin/env python3
"""docs/validation.md and docs/validation-infer.md, which tools/fit-train and tools/validate-infer
write, are there. Their figures need the project's data, which a checkout may lack:
`tools/fit-train --check` and `tools/validate-infer --check` compare them."""
import sys

import house


def main():
    root, _ = house.folders()
    missing = 0
    for name, tool in (("validation.md", "fit-train"), ("validation-infer.md", "validate-infer")):
        page = root / "docs" / name
        if not page.is_file() or not page.read_text().startswith("# Validation"):
            print(f"no docs/{name}: run tools/{tool}")
            missing = 1
    return missing


if __name__ == "__main__":
    sys.exit(main())
