#!/usr/bin/env python3
"""Completion scripts and manual page: they parse in their shells and offer what the program has.

usage: shell.py BINARY

bash is always there; zsh, fish and man are used where they are installed.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def run(*command, stdin=None, **environment):
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=60,
                          env=dict(os.environ, **environment))
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stderr}"
    return done.stdout


def verbs(binary, *path):
    """Sub-commands as the help prints them."""
    text = run(binary, *path, "--help")
    part = text.split("Subcommands:\n", 1)
    return re.findall(r"^  (\S+) ", part[1], re.M) if len(part) == 2 else []


def bash_offers(script, path, *words):
    quoted = " ".join(f"'{w}'" for w in words)
    test = (f"source {script}\nCOMP_WORDS=({quoted})\nCOMP_CWORD={len(words) - 1}\n_headroom\n"
            "printf '%s\\n' \"${COMPREPLY[@]}\"\n")
    return set(run("bash", "-u", stdin=test, PATH=path).split())


def check_bash(binary, script, path):
    top = verbs(binary)
    assert len(top) > 6, top
    assert bash_offers(script, path, "headroom", "") == set(top)
    assert bash_offers(script, path, "headroom", "validate", "") == set(verbs(binary, "validate"))
    assert "llama-3.1-405b" in bash_offers(script, path, "headroom", "train", "--model", "llama-3.1-")
    assert bash_offers(script, path, "headroom", "catalog", "accelerator", "h100-s") == {"h100-sxm"}
    for verb in top:
        text = run(binary, verb, "--help")
        options = set(re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", text, re.M))
        offered = bash_offers(script, path, "headroom", verb, "--")
        assert options <= offered, f"{verb}: not offered: {options - offered}"


def check_man(binary, folder):
    page = run(binary, "man")
    assert ".TH HEADROOM 1" in page
    for verb in verbs(binary):
        assert f".SS headroom {verb}\n" in page, verb
    if shutil.which("man") and shutil.which("groff"):
        file = pathlib.Path(folder) / "headroom.1"
        file.write_text(page)
        done = subprocess.run(["man", "-l", "--warnings", str(file)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert "EXIT STATUS" in done.stdout


def main():
    binary = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.dirname(binary) + os.pathsep + os.environ["PATH"]
        scripts = {}
        for shell in ("bash", "zsh", "fish"):
            scripts[shell] = str(pathlib.Path(folder) / shell)
            pathlib.Path(scripts[shell]).write_text(run(binary, "completion", shell))
            if shutil.which(shell):
                run(shell, "-n", scripts[shell])
        check_bash(binary, scripts["bash"], path)
        if shutil.which("fish"):
            offers = run("fish", "-c", f"source {scripts['fish']}; complete -C 'headroom '", PATH=path)
            assert set(verbs(binary)) <= {line.split("\t")[0] for line in offers.splitlines()}, offers
        check_man(binary, folder)
    wrong = subprocess.run([binary, "completion", "tcsh"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "bash" in wrong.stderr, wrong
    print("completion and manual page: in order")


main()
