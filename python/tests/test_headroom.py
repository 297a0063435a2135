"""The package against the command line. Run from the source folder:

    PYTHONPATH=build/python HEADROOM=build/headroom python3 python/tests/test_headroom.py
"""

import ast
import importlib
import inspect
import json
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

import headroom as hr

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("HEADROOM", str(ROOT / "build" / "headroom"))
SCENARIO = "scenarios/edge-retail.yaml"


def said(*arguments, text=None):
    """What the command line prints with --json."""
    done = subprocess.run([COMMAND, *arguments, "--json"], input=text, text=True, cwd=ROOT,
                          capture_output=True)
    return json.loads(done.stdout)


class SameAsTheCommandLine(unittest.TestCase):
    """To the last bit: both documents parse to equal numbers."""

    def test_check_of_every_scenario(self):
        for file in sorted(ROOT.glob("scenarios/*.yaml")):
            name = str(file.relative_to(ROOT))
            with self.subTest(name):
                self.assertEqual(hr.load(name).check().data, said("check", name))

    def test_changes(self):
        s = hr.load(SCENARIO).set("money.budget", "1 MUSD")
        self.assertEqual(s.check().data, said("check", SCENARIO, "--set", "money.budget=1 MUSD"))
        self.assertFalse(s.check().fits)

    def test_train(self):
        ours = hr.train(model="llama-3.1-8b", system="dgx-h100", gpus=64, tokens="1e11 token")
        theirs = said("train", "--model", "llama-3.1-8b", "--system", "dgx-h100", "--gpus", "64",
                      "--tokens", "1e11 token")
        self.assertEqual(ours.data, theirs)
        self.assertEqual(ours.best.gpus, 64)

    def test_infer(self):
        ours = hr.infer(model="llama-3.1-8b", system="dgx-h100", rate="4/s", slo_tpot="30ms",
                        no_engine=True)
        theirs = said("infer", "--model", "llama-3.1-8b", "--system", "dgx-h100", "--rate", "4/s",
                      "--slo-tpot", "30ms", "--no-engine")
        self.assertEqual(ours.data, theirs)
        self.assertLessEqual(ours.chosen.tpot_s, 0.03)

    def test_replay(self):
        ours = hr.replay(model="llama-3.1-8b", system="dgx-h100", rate="2/s", duration="2min",
                         input=500, output=100)
        theirs = said("replay", "--model", "llama-3.1-8b", "--system", "dgx-h100", "--rate", "2/s",
                      "--duration", "2min", "--input", "500", "--output", "100")
        self.assertEqual(ours.data, theirs)

    def test_facility(self):
        name = "scenarios/legacy-hall.yaml"
        ours = hr.load(name).facility(lose=["all-cooling"], for_=None)
        self.assertEqual(ours.data, said("facility", name, "--lose", "all-cooling"))
        self.assertEqual(hr.facility(name, year=True).data, said("facility", name, "--year"))

    def test_report(self):
        s = hr.load(SCENARIO)
        with tempfile.TemporaryDirectory() as folder:
            mine, theirs = pathlib.Path(folder, "a.json"), pathlib.Path(folder, "b.json")
            report = s.report(mine)
            subprocess.run([COMMAND, "report", SCENARIO, "-o", theirs], cwd=ROOT, check=True)
            self.assertEqual(mine.read_bytes(), theirs.read_bytes())
            self.assertEqual(report.data, json.loads(theirs.read_bytes()))
            self.assertEqual(report.check.data, s.check().data)
            for ending in ("html", "xlsx", "csv"):
                s.report(pathlib.Path(folder, f"c.{ending}"))
                self.assertGreater(pathlib.Path(folder, f"c.{ending}").stat().st_size, 1000)
            with self.assertRaisesRegex(hr.InputError, "names no form"):
                s.report(pathlib.Path(folder, "c.pdf"))

    def test_report_of_a_text(self):
        text = (ROOT / SCENARIO).read_text()
        report = hr.loads(text, SCENARIO).report()
        self.assertEqual(report.data, hr.load(SCENARIO).report().data)

    def test_catalogue_schema_claims(self):
        self.assertEqual(hr.catalog("accelerator", "h100-sxm").data,
                         said("catalog", "accelerator", "h100-sxm"))
        self.assertIn("clusters", hr.schema()["properties"])
        self.assertTrue(len(hr.claims()) > 0)

    def test_text_in_place_of_a_file(self):
        text = (ROOT / SCENARIO).read_text()
        ours = hr.loads(text, name="mine.yaml").check().data
        theirs = said("check", "-", text=text)
        self.assertEqual(ours["margins"], theirs["margins"])
        self.assertEqual(ours["file"], "mine.yaml")

    def test_explain(self):
        s = hr.load(SCENARIO)
        theirs = subprocess.run([COMMAND, "explain", SCENARIO, "money.own.capital"], text=True,
                                cwd=ROOT, capture_output=True).stdout
        self.assertEqual(s.explain("money.own.capital"), theirs)
        self.assertEqual(s.check().explain("money.own.capital"), theirs)


class Mistakes(unittest.TestCase):
    def test_all_of_them_at_their_place(self):
        with self.assertRaises(hr.InputError) as caught:
            hr.loads("name: x\nclusters:\n  - {name: a, system: dgx-h101, count: 4}\n"
                     "sight: {region: nowhere}\n", name="bad.yaml").check()
        places = {m.place for m in caught.exception.mistakes}
        self.assertGreaterEqual(len(places), 2)
        self.assertTrue(all(p.startswith("bad.yaml:") for p in places), places)
        self.assertIn("dgx-h100", str(caught.exception))

    def test_a_file_that_is_not_there(self):
        with self.assertRaises(FileNotFoundError):
            hr.load("scenarios/nope.yaml")

    def test_a_wrong_option_names_the_nearest(self):
        with self.assertRaisesRegex(TypeError, "did you mean 'system'"):
            hr.infer(model="llama-3.1-8b", sistem="dgx-h100")
        with self.assertRaisesRegex(TypeError, "True or False"):
            hr.infer(model="llama-3.1-8b", no_engine="yes")

    def test_a_wrong_value_is_told_with_its_option(self):
        with self.assertRaises(hr.InputError) as caught:
            hr.infer(model="llama-3.1-8b", system="dgx-h100", rate="fast")
        self.assertIn("--rate", str(caught.exception))

    def test_a_wrong_path(self):
        with self.assertRaises(hr.InputError):
            hr.load(SCENARIO).set("clusters.nowhere.count", 3).check()
        with self.assertRaises(ValueError):
            hr.load(SCENARIO).set("", 3)

    def test_a_limit_that_is_not_there(self):
        with self.assertRaisesRegex(KeyError, "money.budget"):
            hr.load(SCENARIO).check().margin("money.budgett")

    def test_text_beyond_the_limit(self):
        with self.assertRaisesRegex(hr.InputError, "4 MiB"):
            hr.loads("#" * (5 << 20), name="big.yaml").check()


class Answers(unittest.TestCase):
    def test_quantities_are_numbers_with_a_unit(self):
        m = hr.load(SCENARIO).check().margin("money.budget")
        self.assertIsInstance(m.need, float)
        self.assertEqual(m.need.unit, "USD")
        self.assertAlmostEqual(m.have / m.need - 1, m.headroom, 12)
        again = pickle.loads(pickle.dumps(m.need))
        self.assertEqual((again, again.unit), (m.need, m.need.unit))
        self.assertEqual(f"{hr.Quantity(1.5, 'kW'):.2f}", "1.50")

    def test_a_quantity_goes_back_in(self):
        s = hr.load(SCENARIO)
        s.set("money.budget", hr.Quantity(2.5e6, "USD"))
        self.assertEqual(s.check().margin("money.budget").have, 2.5e6)

    def test_margins_with_pandas_and_without(self):
        check = hr.load(SCENARIO).check()
        with mock.patch.dict(sys.modules, {"pandas": None}):
            table = check.margins
        self.assertIsInstance(table, hr.Table)
        self.assertEqual(table["id"], [m["id"] for m in check.data["margins"]])
        self.assertIn("<table>", table._repr_html_())
        with self.assertRaisesRegex(KeyError, "headroom"):
            table["hedroom"]
        try:
            import pandas
        except ImportError:
            return
        self.assertIsInstance(check.margins, pandas.DataFrame)
        self.assertEqual(list(check.margins["id"]), table["id"])

    def test_pint(self):
        try:
            import pint  # noqa: F401
        except ImportError:
            with self.assertRaises(ImportError):
                hr.use_units("pint")
            self.skipTest("no pint")
        hr.use_units("pint")
        try:
            need = hr.load(SCENARIO).check().margin("site.ready").need
            self.assertEqual(str(need.units), "month")
        finally:
            hr.use_units("float")

    def test_notebook_pictures(self):
        html = hr.load(SCENARIO).check()._repr_html_()
        self.assertEqual(html.count("<tr>"), 1 + len(hr.load(SCENARIO).check().data["margins"]))
        self.assertIn("It fits.", html)

    def test_a_report_shows_itself(self):
        report = hr.load(SCENARIO).report()
        self.assertIn("<iframe srcdoc=", report._repr_html_())
        self.assertIn('"kind": "headroom-report"', report.html)
        self.assertIn("headroom-report", hr.load(SCENARIO).check().page())
        self.assertIn("figures", dir(report))

    def test_attributes_name_what_there_is(self):
        check = hr.load(SCENARIO).check()
        with self.assertRaisesRegex(AttributeError, "margins"):
            check.margin_s
        self.assertIn("plans", dir(check))


class Sweeps(unittest.TestCase):
    def test_rows_stand_in_order(self):
        s = hr.load(SCENARIO)
        with mock.patch.dict(sys.modules, {"pandas": None}):
            rows = hr.sweep(s, {"money.budget": ["1 MUSD", "3 MUSD"],
                                "clusters.shops.count": [600, 630]}, workers=4)
        self.assertEqual(rows["money.budget"], ["1 MUSD"] * 2 + ["3 MUSD"] * 2)
        self.assertEqual(rows["clusters.shops.count"], [600, 630] * 2)
        self.assertFalse(rows[0]["fits"])
        self.assertEqual(s.sets, [])

    def test_mistakes_are_raised_or_kept(self):
        s = hr.load(SCENARIO)
        with self.assertRaises(hr.InputError):
            hr.sweep(s, {"clusters.shops.count": [600, "many"]})
        with mock.patch.dict(sys.modules, {"pandas": None}):
            rows = hr.sweep(s, {"clusters.shops.count": [600, "many"]}, errors="keep")
        self.assertIsNone(rows[0]["error"])
        self.assertIn("many", rows[1]["error"])

    def test_stopped_keeps_what_is_done(self):
        s = hr.load(SCENARIO)
        calls = []

        def measure(variant):
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return variant.check().binding.headroom

        with self.assertRaises(hr.Cancelled) as caught:
            hr.sweep(s, {"money.budget": [f"{n} MUSD" for n in range(2, 12)]}, measure, workers=1)
        self.assertEqual(len(caught.exception.rows), 2)

    def interrupted(self, code):
        """Runs Python until it says that it has begun, sends Ctrl-C: seconds to its end, what it printed."""
        begin = "import headroom as hr\nprint('begun', flush=True)\n"
        p = subprocess.Popen([sys.executable, "-c", begin + code], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        p.stdout.readline()
        time.sleep(1)
        self.assertIsNone(p.poll(), "ended before Ctrl-C")
        at = time.monotonic()
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=30)
        return time.monotonic() - at, out, err

    LONG = ("model='llama-3.1-8b', accelerator='h100-sxm', rate='200/s', duration='3h', input=800, "
            "output=200, replicas=16")

    def test_ctrl_c_stops_a_long_run(self):
        took, _, err = self.interrupted(f"hr.replay({self.LONG})")
        self.assertIn("KeyboardInterrupt", err)
        self.assertLess(took, 2)

    def test_ctrl_c_stops_the_variants_of_a_sweep(self):
        took, out, err = self.interrupted(
            f"s = hr.load({SCENARIO!r})\n"
            f"def measure(v):\n    return hr.replay({self.LONG}).data\n"
            "try:\n    hr.sweep(s, {'money.budget': ['1 MUSD', '2 MUSD', '3 MUSD']}, measure, workers=2)\n"
            "except hr.Cancelled as c:\n    print(len(c.rows), 'rows')\n")
        self.assertEqual((out.strip(), err), ("0 rows", ""))
        self.assertLess(took, 2)

    def test_the_lock_is_free_while_the_library_works(self):
        ticks, stop = [], threading.Event()

        def tick():
            while not stop.is_set():
                ticks.append(time.monotonic())
                time.sleep(0.001)

        watcher = threading.Thread(target=tick)
        watcher.start()
        try:
            begin = time.monotonic()
            hr.replay(model="llama-3.1-8b", system="dgx-h100", rate="20/s", duration="1h",
                      replicas=1)
            end = time.monotonic()
        finally:
            stop.set()
            watcher.join()
        inside = [t for t in ticks if begin < t < end]
        # A held lock would leave at most the few ticks of parsing the answer.
        self.assertGreater(len(inside), 0.2 * (end - begin) / 0.001)

    def test_many_threads_answer_alike(self):
        expected = hr.load(SCENARIO).check().data
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            hr.loads((ROOT / SCENARIO).read_text(), name=SCENARIO).check().data))
            for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(answers), 8)
        for a in answers:
            self.assertEqual(a["margins"], expected["margins"])


class Package(unittest.TestCase):
    def test_stub_names_what_the_module_has(self):
        stub = ast.parse((ROOT / "python/headroom/_core.pyi").read_text())
        named = {f.name: [a.arg for a in f.args.args] for f in stub.body
                 if isinstance(f, ast.FunctionDef)}
        core = importlib.import_module("headroom._core")
        there = {n for n in dir(core) if not n.startswith("_")}
        self.assertEqual(set(named), there)
        for name, arguments in named.items():
            for a in arguments:
                self.assertIn(f"{a}:", getattr(core, name).__doc__)

    def test_everything_public_is_documented(self):
        for name in hr.__all__:
            thing = getattr(hr, name)
            self.assertTrue(inspect.getdoc(thing), name)

    def test_options_are_the_command_lines(self):
        flags = {o.flag for o in hr.options("infer")}
        self.assertLessEqual({"--model", "--slo-ttft", "--no-engine"}, flags)
        for verb in ("train", "infer", "replay", "facility", "check"):
            for option in hr.options(verb):
                self.assertTrue(option.doc, option.flag)


class Notebooks(unittest.TestCase):
    """Every cell of every notebook runs, in order, and shows its last value."""

    def test_all(self):
        files = sorted(ROOT.glob("python/notebooks/*.ipynb"))
        self.assertGreaterEqual(len(files), 3)
        for file in files:
            with self.subTest(file.name):
                self.run_one(file)

    def run_one(self, file):
        names = {"__name__": "__notebook__"}
        for cell in json.loads(file.read_text())["cells"]:
            if cell["cell_type"] != "code":
                continue
            tree = ast.parse("".join(cell["source"]), file.name)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, file.name, "exec"), names)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), file.name, "eval"), names)
                if value is not None:
                    shown = getattr(value, "_repr_html_", lambda: repr(value))()
                    self.assertTrue(shown)


if __name__ == "__main__":
    os.chdir(ROOT)
    unittest.main()
