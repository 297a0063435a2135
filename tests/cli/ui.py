#!/usr/bin/env python3
"""`headroom ui` as a program: what it serves is what the command line says, for one user and for fifty.

usage: ui.py BINARY
"""
import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BINARY = os.path.abspath(sys.argv[1])
ROOT = pathlib.Path(__file__).resolve().parents[2]
CAMPUS = ROOT / "scenarios" / "campus-100k.yaml"
SLOW = "HEADROOM_SLOW_BUILD" in os.environ
TOKEN = "a-token-of-the-tests"
USERS = 50


def require(holds, text):
    if not holds:
        sys.exit(f"ui.py: {text}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Ui:
    def __init__(self, *arguments, cwd):
        self.port = free_port()
        # No display, whatever the machine has: no browser is wanted here.
        env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        self.process = subprocess.Popen([BINARY, "ui", "--port", str(self.port), *arguments], cwd=cwd,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=dict(env, HEADROOM_TOKEN=TOKEN))
        self.url = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def user(self):
        return User(self.port)

    def peak_mib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return 0

    def stop(self):
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=30)
        return status, time.monotonic() - began


class User:
    def __init__(self, port, token=TOKEN):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"X-Headroom-Token": token, "Content-Type": "application/json"}

    def ask(self, method, path, body=None, **headers):
        self.connection.request(method, path, None if body is None else json.dumps(body),
                                dict(self.headers, **headers))
        answer = self.connection.getresponse()
        return answer, answer.read().decode()

    def get(self, path):
        return json.loads(self.ask("GET", path)[1])

    def run(self, verb, text, *options):
        answer, body = self.ask("POST", "/api/run", {"verb": verb, "options": options, "text": text})
        require(answer.status == 200, f"{verb} {options}: {answer.status} {body[:400]}")
        return body

    def job(self, verb, text, *options):
        answer, body = self.ask("POST", "/api/jobs", {"verb": verb, "options": options, "text": text})
        require(answer.status == 202, f"job {verb} {options}: {answer.status} {body[:400]}")
        return json.loads(body)["id"]

    def settle(self, job, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.get(f"/api/jobs/{job}")
            if state["state"] not in ("queued", "running"):
                return state
            time.sleep(0.02)
        sys.exit(f"ui.py: job {job} does not end")


def said(cwd, *arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, cwd=cwd, timeout=120,
                          env=dict(os.environ, NO_COLOR="1")).stdout


def gate(ui):
    user = ui.user()
    require(ui.url == f"http://127.0.0.1:{ui.port}/?token={TOKEN}", ui.url)
    for path in ("/", "/api/start", "/api/jobs"):
        require(User(ui.port, "wrong").ask("GET", path)[0].status == 401, f"{path} without the token")
    answer, _ = user.ask("GET", f"/?token={TOKEN}")
    cookie = answer.getheader("Set-Cookie").split(";")[0]
    page, text = User(ui.port, "").ask("GET", "/", Cookie=cookie)
    require(page.status == 200 and "headroom-data" in text, f"the page by its cookie: {page.status}")
    require(user.ask("GET", "/api/start", Host="evil.example")[0].status == 403, "another name")
    require(user.ask("GET", "/api/start", Origin="http://evil.example")[0].status == 403, "another origin")


def same_as_the_shell(ui, folder):
    user, text = ui.user(), CAMPUS.read_text()
    for verb, *options in (["check"], ["check", "--set", "clusters.gpu.count=12000"], ["facility", "--gantt"],
                           ["facility", "--layout"], ["facility", "--chain"]):
        shell = said(folder, verb, "campus.yaml", "--json", *options)
        require(f'"document": {shell}, "text"' in user.run(verb, text, *options), f"{verb} {options} differs")
    shell = said(folder, "explain", "campus.yaml", "money.capital")
    require(json.loads(user.run("explain", text, "money.capital"))["text"] == shell, "explain differs")
    train = user.settle(user.job("train", text, "--pareto"))
    require(train["result"]["document"] == json.loads(said(folder, "train", "campus.yaml", "--pareto", "--json")),
            "train differs")


def errors(ui):
    user, text = ui.user(), CAMPUS.read_text()
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if "count:" in line)
    lines[at] = lines[at].replace("count:", "coumt:")
    answer = json.loads(user.run("check", "\n".join(lines)))
    require(answer["status"] == 2 and answer["document"] is None, str(answer)[:300])
    found = [(e["line"], e["hint"]) for e in answer["errors"]]
    require((at + 1, "did you mean 'count'?") in found, f"line {at + 1}: {found}")
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(8))
    began = time.monotonic()
    require(json.loads(user.run("check", bomb))["errors"][0]["line"] > 1, "a YAML bomb")
    require(time.monotonic() - began < 5, "a YAML bomb takes long")


def quick(ui):
    user, text, took = ui.user(), CAMPUS.read_text(), []
    for i in range(20):
        began = time.monotonic()
        user.run("check", text, "--set", f"clusters.gpu.count={12000 + i}")
        took.append(1000 * (time.monotonic() - began))
    print(f"check of the campus, round trip: best {min(took):.0f} ms, median {sorted(took)[10]:.0f} ms")
    require(min(took) < (2000 if SLOW else 100), f"check of the campus takes {min(took):.0f} ms")


def fifty(ui):
    """Everybody gets the answer to his own question, and a job of his own."""
    text = CAMPUS.read_text()
    alone = ui.user()
    counts = [11000 + 50 * i for i in range(10)]
    right = {n: json.loads(alone.run("check", text, "--set", f"clusters.gpu.count={n}"))["document"] for n in counts}

    def user(number):
        me = ui.user()
        for i in range(3):
            n = counts[(number + i) % len(counts)]
            got = json.loads(me.run("check", text, "--set", f"clusters.gpu.count={n}"))["document"]
            require(got == right[n], f"user {number}: another's answer")
        job = me.job("train", text, "--set", f"clusters.gpu.count={counts[number % len(counts)]}")
        return me.settle(job)["state"]

    with concurrent.futures.ThreadPoolExecutor(USERS) as pool:
        states = list(pool.map(user, range(USERS)))
    require(states == ["done"] * USERS, f"jobs: {states}")
    peak = ui.peak_mib()
    print(f"{USERS} users, each with a job: peak {peak:.0f} MiB")
    require(SLOW or peak < 1024, f"{peak:.0f} MiB")


def cancel(ui):
    user = ui.user()
    text = (ROOT / "scenarios" / "chat-70b.yaml").read_text()
    job = user.job("infer", text, "--requests", "1000000", "--finalists", "20")
    time.sleep(0.3)
    began = time.monotonic()
    user.ask("DELETE", f"/api/jobs/{job}")
    state = user.settle(job)
    took = time.monotonic() - began
    require(state["state"] == "stopped", f"cancelled job: {state['state']}")
    print(f"a job that was cancelled ended after {1000 * took:.0f} ms")
    require(took < (5 if SLOW else 1), f"a cancelled job ends after {took:.1f} s")  # 0.2 s on a quiet machine


def report(ui):
    user, text = ui.user(), CAMPUS.read_text()
    answer, page = user.ask("POST", "/api/report", {"text": text, "name": "campus.yaml", "format": "html"})
    require(answer.status == 200 and "headroom-report" in page, f"report: {answer.status} {page[:300]}")
    require(answer.getheader("Content-Disposition") == 'attachment; filename="campus.html"', "its name")


def save(ui, folder):
    user = ui.user()
    text = user.get("/api/start")["text"] + "# saved\n"
    require(user.ask("POST", "/api/save", {"text": text})[0].status == 200, "save")
    require((folder / "campus.yaml").read_text() == text, "the saved text")
    (folder / "campus.yaml").write_text("name: by hand\n")
    require(user.ask("POST", "/api/save", {"text": text})[0].status == 409, "save over a change")
    require((folder / "campus.yaml").read_text() == "name: by hand\n", "the change is kept")


def files(folder):
    """A scenario reads files beside it, and one of the page's own reads none."""
    (folder / "config.json").write_text("{}")
    scenario = CAMPUS.read_text().replace("%", "%%") + "\nmodels: [{id: m, config: %s}]\n"
    with Ui("--no-open", "campus.yaml", cwd=folder) as ui:
        told = ui.user().run("check", scenario % "/etc/passwd")
        require("lies outside the scenario" in told and "root:" not in told, told[:300])
        told = ui.user().run("check", scenario % "config.json")
        require("config.json" in told and "lies " not in told, f"a file beside it: {told[:300]}")
    with Ui("--no-open", cwd=folder) as ui:
        require("lies in no folder" in ui.user().run("check", scenario % "config.json"), "no folder")
        require(ui.user().get("/api/start")["file"] is None, "no file")


def refusals(ui, folder):
    for arguments, told in ((["--port", str(ui.port)], "in use"), (["--token", "short"], "--token"),
                            (["nothing.yaml"], "cannot be read"), (["--host", "no.such.host.invalid"], "--host"),
                            (["-"], "standard input")):
        done = subprocess.run([BINARY, "ui", "--no-open", *arguments], capture_output=True, text=True, timeout=30,
                              cwd=folder)
        require(done.returncode == 2 and told in done.stderr, f"{arguments}: {done.returncode} {done.stderr}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copy(CAMPUS, folder / "campus.yaml")
        with Ui("campus.yaml", cwd=folder) as ui:
            gate(ui)
            same_as_the_shell(ui, folder)
            errors(ui)
            quick(ui)
            fifty(ui)
            cancel(ui)
            report(ui)
            save(ui, folder)
            refusals(ui, folder)
            ui.user().job("infer", (ROOT / "scenarios" / "chat-70b.yaml").read_text(), "--requests", "1000000")
            status, took = ui.stop()
            require(status == 0 and took < (30 if SLOW else 2), f"Ctrl-C: status {status} after {took:.1f} s")
        files(folder)
    print("ui: as the shell")


main()
