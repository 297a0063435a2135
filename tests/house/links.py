#!/usr/bin/env python3
"""Links of README.md, CONTRIBUTING.md and docs/**/*.md lead somewhere: the file is there, and so is the heading.

Anchors are those that GitHub gives a heading: lower case, without punctuation, spaces as dashes, "-1" after
the second of a name. Links to the web are not followed. What stands in code is no link.
"""
import collections
import pathlib
import re
import sys
import unicodedata
from urllib.parse import unquote

import house

LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s+(\S+)", re.M)
HTML = re.compile(r"<(?:a|img)\s[^>]*?(?:href|src)=\"([^\"]+)\"")
FENCE = re.compile(r"^(?P<fence>```+|~~~+).*?^(?P=fence)\s*$", re.M | re.S)


def without_code(text):
    """The text with code blanked out, so that lines keep their numbers."""
    blank = lambda m: re.sub(r"[^\n]", " ", m.group(0))
    text = FENCE.sub(blank, text)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", blank, text, flags=re.S)


def slug(heading):
    """GitHub's anchor of a heading."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)  # a link's text
    heading = re.sub(r"[`*]|(?<!\w)_|_(?!\w)", "", heading).strip().lower()
    kept = (c for c in heading
            if c in " -_" or unicodedata.category(c)[0] in "LN" or unicodedata.category(c) in ("Mn", "Mc"))
    return "".join(kept).replace(" ", "-")


def anchors(text):
    """Every anchor of a page."""
    seen, out = collections.Counter(), set()
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*\s*$", FENCE.sub("", text), re.M):
        name = slug(heading)
        out.add(name if seen[name] == 0 else f"{name}-{seen[name]}")
        seen[name] += 1
    out.update(re.findall(r"<a\s[^>]*?(?:id|name)=\"([^\"]+)\"", text))
    return out


def links(text):
    """(line, target) of every link."""
    bare = without_code(text)
    for pattern in (LINK, REFERENCE, HTML):
        for m in pattern.finditer(bare):
            yield bare.count("\n", 0, m.start(1)) + 1, m.group(1)


def broken(page, root, known):
    """What is wrong with each link of a page that leads nowhere."""
    text = page.read_text()
    for line, target in links(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", target) or target.startswith("//"):
            continue
        path, _, fragment = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists():
            yield line, target, "there is no such file"
        elif root not in there.parents and there != root:
            yield line, target, "lies outside the project"
        elif fragment and there.suffix == ".md":
            if there not in known:
                known[there] = anchors(there.read_text())
            if fragment not in known[there]:
                yield line, target, "there is no such heading"


def main():
    root, _ = house.folders()
    pages = [p for p in (root / "README.md", root / "CONTRIBUTING.md") if p.exists()]
    pages += sorted((root / "docs").rglob("*.md"))
    known, bad, count = {}, [], 0
    for page in pages:
        count += sum(1 for _ in links(page.read_text()))
        bad += [f"{page.relative_to(root)}:{line}: {target}: {why}" for line, target, why in broken(page, root, known)]
    for text in bad:
        print(text)
    print(f"{count} links of {len(pages)} pages, {len(bad)} broken")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
