"""What the checks of this folder share: `CHECK.py SOURCE BUILD` exits 0 when all is well, 77 when
the tool it needs is not installed."""
import pathlib
import shutil
import subprocess
import sys

SKIPPED = 77


def folders():
    """(project's root, build folder) from the command line."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} SOURCE BUILD")
    return pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()


def need(tool):
    if shutil.which(tool) is None:
        print(f"{tool} is not installed: skipped")
        sys.exit(SKIPPED)


def tracked(root, *suffixes):
    """Files under version control; all files of the source folders in a copy without git."""
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    if listed.returncode == 0:
        names = listed.stdout.splitlines()
    else:
        names = [str(p.relative_to(root)) for top in ("apps", "bench", "src", "tests", "tools")
                 for p in (root / top).rglob("*")]
    return sorted(n for n in names if n.endswith(suffixes) and (root / n).is_file())


def run(command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
