#!/usr/bin/env python3
"""Long work at a terminal: a line of progress, Ctrl-C, --quiet; nothing of it without a terminal.

usage: progress.py BINARY

The program runs under a pseudo-terminal, as a person would run it.
"""
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLOW = 5 if os.environ.get("HEADROOM_SLOW_BUILD") else 1

# Every legal plan of a large job: some ten seconds and more of one thread.
LONG = ["train", "--model", "llama-3.1-405b", "--system", "dgx-h100", "--gpus", "65536", "--exhaustive"]


class Terminal:
    """A program whose standard error is a terminal; its standard output is a file."""

    def __init__(self, command, columns=100, **environment):
        self.master, slave = pty.openpty()
        os.set_blocking(self.master, False)
        import fcntl
        import struct
        import termios
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        self.out = tempfile.TemporaryFile()
        env = dict(os.environ, TERM="xterm", LANG="C.UTF-8", **environment)
        for gone in ("NO_COLOR", "LC_ALL"):
            if gone not in environment:
                env.pop(gone, None)
        self.process = subprocess.Popen(command, stdin=slave, stdout=self.out, stderr=slave, env=env)
        os.close(slave)
        self.seen = ""

    def read(self, seconds):
        """What the terminal shows until then, or until the program has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ready, _, _ = select.select([self.master], [], [], 0.02)
            if ready:
                try:
                    self.seen += os.read(self.master, 65536).decode(errors="replace")
                except (OSError, BlockingIOError):
                    break
            elif self.process.poll() is not None:
                break
        return self.seen

    def wait_for(self, pattern, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until and not re.search(pattern, self.seen):
            if self.process.poll() is not None:
                break
            self.read(0.05)
        assert re.search(pattern, self.seen), f"not shown: {pattern}\n{self.seen!r}"

    def interrupt(self):
        """Ctrl-C; the seconds until the program has ended."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)
        took = time.monotonic() - begin
        self.read(0.2)
        return took

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        self.out.close()


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", text)


def last_line(text):
    """What stands on the last line after the terminal has obeyed carriage returns and wipes."""
    return plain(text.replace("\r\n", "\n").split("\n")[-1].split("\r")[-1])


def check_bar(binary):
    t = Terminal([binary, *LONG])
    try:
        t.wait_for(r"searching plans .*%", 60 * SLOW)
        t.read(0.5)
        frames = [plain(f) for f in t.seen.split("\r") if "searching" in f]
        assert len(frames) >= 3, t.seen
        assert any(re.search(r"[█▏▎▍▌▋▊▉]", f) for f in frames), frames
        assert re.search(r"\d[\d,]* of \d[\d,]*", frames[-1]), frames[-1]
        assert all(len(f) < 100 for f in frames), "wider than the terminal"
        assert "\x1b[36m" in t.seen
        took = t.interrupt()
        assert t.process.returncode == 130, t.process.returncode
        assert took < 0.2 * SLOW + 0.3, f"{took:.2f} s until it ended"
        said = plain(t.seen).replace("\r\n", "\n")
        assert "stopped at searching plans, " in said, said
        assert "no file was written" in said
        assert "searching plans " not in last_line(t.seen), "the line was left standing"
        t.out.seek(0)
        assert t.out.read() == b""
        return took
    finally:
        t.close()


def check_looks(binary):
    """NO_COLOR, a narrow terminal, no UTF-8, TERM=dumb."""
    t = Terminal([binary, *LONG], columns=48, NO_COLOR="1", LC_ALL="C")
    try:
        t.wait_for(r"searching plans", 60 * SLOW)
        t.read(0.4)
        assert "\x1b[3" not in t.seen, "coloured in spite of NO_COLOR"
        assert "█" not in t.seen, "blocks where the locale has none"
        frames = [plain(f).strip("\n") for f in t.seen.split("\r") if "searching" in f]
        assert max(len(f) for f in frames) < 48, frames
        t.interrupt()
    finally:
        t.close()
    for command, environment in (([binary, *LONG, "--quiet"], {}),):
        t = Terminal(command, **environment)
        try:
            t.read(2.0 * SLOW)
            assert t.seen == "", t.seen
            assert t.interrupt() < 0.5 * SLOW and t.process.returncode == 130
        finally:
            t.close()


def check_without_terminal(binary):
    """Nothing of the bar in a log; Ctrl-C is told all the same, and files are not touched."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "step.json"
        file.write_text("as it was\n")
        p = subprocess.Popen([binary, *LONG, "--trace", str(file), "--json"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        time.sleep(2.0 * SLOW)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=20)
        assert p.returncode == 130, p.returncode
        assert err.startswith("stopped at searching plans"), err
        assert err.count("\n") == 1 and "\r" not in err, err
        assert '"verdict": "stopped"' in out, out
        assert file.read_text() == "as it was\n"
        assert [f.name for f in pathlib.Path(folder).iterdir()] == ["step.json"]


def check_deaf(binary):
    """Work that does not hear it (a read from a pipe that nobody fills) ends all the same."""
    p = subprocess.Popen([binary, "check", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    time.sleep(0.3 * SLOW)
    begin = time.monotonic()
    p.send_signal(signal.SIGINT)
    p.wait(timeout=20)
    took = time.monotonic() - begin
    assert p.returncode == 130, p.returncode
    assert took < 0.2 * SLOW + 0.3, f"{took:.2f} s"
    assert "stopped" in p.stderr.read()
    p.stdin.close()
    return took


def check_ui(binary):
    """A verb that waits for Ctrl-C itself ends as it says."""
    p = subprocess.Popen([binary, "ui", "--no-open"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = p.stdout.readline()
        assert "http" in line, line + p.stderr.read()
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=20)
        assert p.returncode == 0, p.returncode
    finally:
        if p.poll() is None:
            p.kill()


def check_verbs(binary):
    """Every verb with long work hears it."""
    campus = str(ROOT / "scenarios/campus-100k.yaml")
    supply = str(ROOT / "scenarios/nvl72-row.yaml")
    took = {}
    for name, command in {
            "replay": ["replay", "--rate", "200/s", "--duration", "1h", "--input", "800", "--output", "200",
                       "--model", "llama-3.1-8b", "--accelerator", "h100-sxm", "--replicas", "16"],
            "infer": ["infer", "--model", "llama-3.1-70b", "--accelerator", "any", "--rate", "2000/s",
                      "--slo-tpot", "30ms", "--slo-ttft", "1s", "--disaggregated", "--precision",
                      "bf16,fp8", "--finalists", "20", "--requests", "1000000"],
            "availability": ["facility", campus, "--availability", "--histories", "10000000"],
            "time year": ["facility", campus, "--year", "--resolution", "1s"],
            "supply": ["facility", supply, "--supply"],
            "transient": ["facility", campus, "--transient", "--sample", "1ms"],
    }.items():
        p = subprocess.Popen([binary, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             text=True)
        time.sleep(0.7 * SLOW)
        if p.poll() is not None:
            assert name in ("supply", "transient", "time year"), f"{name} was done already: {p.stderr.read()}"
            continue
        begin = time.monotonic()
        p.send_signal(signal.SIGINT)
        _, err = p.communicate(timeout=20)
        took[name] = time.monotonic() - begin
        if name in ("supply", "transient", "time year") and p.returncode in (0, 1) and not err:
            continue  # its answer was out when the signal came
        assert p.returncode == 130, f"{name}: {p.returncode} {err}"
        assert err.startswith("stopped"), f"{name}: {err}"
        assert took[name] < 0.2 * SLOW + 0.3, f"{name}: {took[name]:.2f} s"
    assert len(took) >= 4, took
    return took


def main():
    binary = os.path.abspath(sys.argv[1])
    took = {"train": check_bar(binary)}
    check_looks(binary)
    check_without_terminal(binary)
    took["a pipe"] = check_deaf(binary)
    check_ui(binary)
    took.update(check_verbs(binary))
    print("Ctrl-C to exit: " + ", ".join(f"{k} {1000 * v:.0f} ms" for k, v in took.items()))


if __name__ == "__main__":
    main()
