"""A wheel of the package, installed in a clean environment, answers.

    python3 python/tests/wheel.py build/python/headroom/_core.*.so FOLDER

The module itself is the one that stands (`make wheel` compiles it anew). The build's own tools come
from PyPI; where it cannot be reached the test says so and is skipped (77).
"""

import pathlib
import shutil
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77


def run(*words, **more):
    subprocess.run([str(w) for w in words], check=True, **more)


def pip_index():
    """PyPI, or the index that pip is set to use."""
    done = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"],
                          capture_output=True, text=True)
    return done.stdout.strip() or "https://pypi.org/simple/"


def main():
    module, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    index = pip_index()
    try:
        urllib.request.urlopen(index.rstrip("/") + "/scikit-build-core/", timeout=20).close()
    except OSError as error:
        print(f"skipped: {index} cannot be reached ({error})")
        return SKIPPED
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run(sys.executable, "-m", "venv", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "-q", "--disable-pip-version-check", "wheel", "--no-deps",
        "-w", folder, "-C", f"cmake.define.HEADROOM_CORE={module}",
        "-C", f"build-dir={folder}/cmake", ROOT)
    wheels = list(folder.glob("headroom-*.whl"))
    assert len(wheels) == 1, wheels
    run(python, "-m", "pip", "-q", "--disable-pip-version-check", "install", "--no-deps", wheels[0])
    says = ("import headroom as hr; r = hr.load('scenarios/edge-retail.yaml').check(); "
            "assert r.fits and hr.__version__ in hr.version(); "
            "assert '/venv/' in hr.__file__, hr.__file__; print(r.binding)")
    run(python, "-I", "-c", says, cwd=ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
