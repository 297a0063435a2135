#!/usr/bin/env python3
"""The page's own tests, in web/. Without node, npm or the packages of web/package-lock.json they
skip (exit 77) and say so.
  run.py unit WEB   vitest
  run.py dist WEB   the committed web/dist/index.html is what the sources give, and within its bar
  run.py e2e WEB    a script in web/e2e against a running program: run.py e2e WEB SCRIPT ARGUMENTS...
"""
import fcntl
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MOST_GZIPPED = 120_000  # bytes of app and report together
SKIP = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def node_version():
    if not shutil.which("node") or not shutil.which("npm"):
        skip("node and npm are not installed")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    version = tuple(int(part) for part in found.groups()) if found else (0, 0)
    if version < (20, 19) or (21,) <= version < (22, 12):
        skip(f"node {said.strip()} is too old for vite, 20.19 or 22.12 is needed")


def install(web):
    """The packages of the lock file, once; tests that run side by side wait for each other."""
    with open(web / "package-lock.json") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = web / "node_modules" / ".package-lock.json"
        if stamp.exists() and stamp.stat().st_mtime >= (web / "package-lock.json").stat().st_mtime:
            return
        try:
            done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=web, capture_output=True, text=True,
                                  timeout=240)
        except subprocess.TimeoutExpired:
            skip("npm ci took over 240 s")
        if done.returncode:
            skip(f"npm ci failed: {done.stderr.strip()[-400:]}")
        stamp.touch()


def dist(web):
    committed = (web / "dist" / "index.html").read_bytes()
    with tempfile.TemporaryDirectory() as out:
        environment = {**os.environ, "HEADROOM_WEB_OUT": out}
        done = subprocess.run(["npm", "run", "--silent", "build"], cwd=web, env=environment, capture_output=True,
                              text=True)
        if done.returncode:
            print(done.stdout + done.stderr)
            return 1
        files = sorted(os.listdir(out))
        built = (pathlib.Path(out) / "index.html").read_bytes()
    size = len(gzip.compress(built, 9))
    print(f"web/dist/index.html: {len(built)} bytes, {size} gzipped (at most {MOST_GZIPPED})")
    wrong = []
    if files != ["index.html"]:
        wrong.append(f"more than one file is built: {files}")
    if built != committed:
        wrong.append("web/dist/index.html is not what web/ gives: run `make web` and commit it")
    if size > MOST_GZIPPED:
        wrong.append(f"the page is {size - MOST_GZIPPED} bytes over its bar")
    print("\n".join(wrong))
    return 1 if wrong else 0


def main():
    what, web = sys.argv[1], pathlib.Path(sys.argv[2])
    node_version()
    install(web)
    if what == "dist":
        return dist(web)
    if what == "unit":
        return subprocess.run(["npx", "--no-install", "vitest", "run"], cwd=web).returncode
    if what == "e2e":
        return subprocess.run(["node", *sys.argv[3:]], cwd=web).returncode
    print(__doc__)
    return 2


sys.exit(main())
