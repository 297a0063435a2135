#!/usr/bin/env python3
"""The check of links (links.py) finds what it is for, and nothing else."""
import pathlib
import tempfile

import house
import links

PAGE = """# A page

## What it *does*, and `why` not?
## Twice
## Twice

Good: [a](#what-it-does-and-why-not), [b](#twice-1), [c](other.md#größe-und-maß_x), [d](folder), [e](https://example.org/x#y)
![f](other.md) <a href="other.md">g</a> [h [i]](other.md) [j](<other.md>) [k](other.md "title")
Code is no link: `[l](missing.md)` and

```
[m](missing.md)
```

[ref]: other.md
"""
OTHER = "# Größe und Maß_x\n\n<a id=\"by-hand\"></a>\n"
BAD = {
    "[x](missing.md)": "there is no such file",
    "![x](missing.png)": "there is no such file",
    "[x](#twice-2)": "there is no such heading",
    "[x](other.md#nothing)": "there is no such heading",
    "[x](../../outside.md)": "there is no such file",
    "[ref2]: missing.md": "there is no such file",
    "<img src=\"missing.png\">": "there is no such file",
}


def main():
    house.folders()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        (root / "folder").mkdir()
        (root / "other.md").write_text(OTHER)
        page = root / "page.md"
        page.write_text(PAGE)
        assert sum(1 for _ in links.links(PAGE)) == 11, list(links.links(PAGE))
        assert list(links.broken(page, root, {})) == [], list(links.broken(page, root, {}))
        for text, why in BAD.items():
            page.write_text(f"{PAGE}\n{text}\n")
            found = list(links.broken(page, root, {}))
            assert [f[2] for f in found] == [why], (text, found)
            assert found[0][0] == PAGE.count("\n") + 2, found
        page.write_text(PAGE + "\n[x](other.md#by-hand)\n")
        assert list(links.broken(page, root, {})) == []
    print("links.py finds broken links and only those")


if __name__ == "__main__":
    main()
