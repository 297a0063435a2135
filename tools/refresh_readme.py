#!/usr/bin/env python3
"""Renews what a page (README.md, docs/train.md, docs/infer.md) shows of the program's output.

usage: refresh_readme.py PAGE BINARY

Commands run in the folder that holds the page, or in the one above it when the page lies in docs. In
a ```console block, `$ build/headroom ...` may be followed by the first lines of its output and a closing
line of three dots. Those lines are replaced by as many lines of what BINARY prints now. Pieces between
two lines of dots are renewed from the line that begins as the piece does. Commands without output below
them are left alone. tests/house/readme.py checks the result.
"""
import pathlib
import re
import shlex
import subprocess
import sys

BLOCK = re.compile(r"^```console\n(.*?)^```", re.M | re.S)


def output(command, binary, root):
    words = shlex.split(command)[1:]
    done = subprocess.run([binary, *words], cwd=root, capture_output=True, text=True)
    if done.returncode > 1:
        sys.exit(f"$ {command}\n{done.stderr}exit status {done.returncode}")
    return done.stdout.rstrip("\n").split("\n")


def renew(part, binary, root):
    command, *shown = part.rstrip("\n").split("\n")
    while command.endswith("\\") and shown:
        command += "\n" + shown.pop(0)
    if not command.startswith("build/headroom") or "..." not in shown:
        return part
    now = output(command.replace("\\\n", " "), binary, root)
    return "\n".join([command, *renewed_pieces(shown, now)]) + "\n"


def renewed_pieces(shown, now):
    """Each piece between dots as it prints now; one whose first line is gone stays, for the test to name."""
    out, at, piece = [], 0, []
    for line in [*shown, None]:
        if line is not None and line != "...":
            piece.append(line)
            continue
        if piece:
            start = 0 if not out else next(
                (i for i in range(at, len(now)) if now[i][:12] == piece[0][:12]), None)
            fresh = piece if start is None else now[start:start + len(piece)]
            at = at if start is None else start + len(piece)
            out += fresh
        if line == "...":
            out.append(line)
        piece = []
    return out


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    readme, binary = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()

    root = readme.parent.parent if readme.parent.name == "docs" else readme.parent

    def block(match):
        head, *parts = re.split(r"^\$ ", match[1], flags=re.M)
        return "```console\n" + "$ ".join([head, *(renew(p, binary, root) for p in parts)]) + "```"

    text = readme.read_text()
    renewed = BLOCK.sub(block, text)
    if renewed != text:
        readme.write_text(renewed)
        print(f"{readme.name}: output renewed")


if __name__ == "__main__":
    main()
