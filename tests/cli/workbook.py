#!/usr/bin/env python3
"""The workbook of `headroom report` recalculates to what the engine says, to the cent.

usage: workbook.py BINARY

LibreOffice opens the file, computes every formula anew and writes the sheets as CSV. Then inputs are
changed in the file's own cells, and the result is held against the engine's with the same change.
Exit status 77 (skipped) where LibreOffice is missing.
"""
import csv
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CENT = 0.01
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>
"""  # always recalculate
# comma, quote, UTF-8, from line 1; values as they are and not as shown; every sheet
FILTER = 'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1'


def run(binary, *arguments):
    done = subprocess.run([binary, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


class Office:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        user = folder / "profile" / "user"
        user.mkdir(parents=True)
        (user / "registrymodifications.xcu").write_text(SETTINGS)

    def sheets(self, book):
        """Rows of every sheet by its name, computed anew."""
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        subprocess.run([self.program, f"-env:UserInstallation=file://{self.folder}/profile", "--headless",
                        "--convert-to", FILTER, "--outdir", out, book], check=True, capture_output=True, timeout=300)
        prefix = book.stem + "-"
        return {p.stem[len(prefix):]: list(csv.reader(p.open(encoding="utf-8"))) for p in out.glob("*.csv")}


class Book:
    """The file's own cells, by defined name."""

    def __init__(self, path):
        with zipfile.ZipFile(path) as z:
            self.files = {n: z.read(n) for n in z.namelist()}
        text = self.files["xl/workbook.xml"].decode()
        names = re.findall(r'<sheet name="([^"]+)" sheetId="(\d+)"', text)
        self.sheet = {name: f"xl/worksheets/sheet{i}.xml" for name, i in names}
        self.cell = {}
        for name, where in re.findall(r'<definedName name="([^"]+)"[^>]*>([^<]+)</definedName>', text):
            sheet, _, cell = where.replace("'", "").replace("&apos;", "").rpartition("!")
            self.cell[name] = (sheet, cell.replace("$", ""))

    def change(self, name, value, path):
        sheet, cell = self.cell[name]
        file = self.sheet[sheet]
        text, n = re.subn(rf'(<c r="{cell}"[^>]*><v>)[^<]*(</v></c>)', rf"\g<1>{value}\g<2>",
                          self.files[file].decode())
        assert n == 1, f"{name} at {sheet}!{cell} is no plain number"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
            for other, data in self.files.items():
                z.writestr(other, text if other == file else data)


def place(cell):
    letters, digits = re.match(r"([A-Z]+)(\d+)", cell).groups()
    column = 0
    for ch in letters:
        column = column * 26 + ord(ch) - 64
    return int(digits) - 1, column - 1


def number(text):
    """LibreOffice writes shares in %, with all their digits."""
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def named(book, sheets, name):
    sheet, cell = book.cell[name]
    row, column = place(cell)
    return number(sheets[sheet][row][column])


def engine(binary, scenario, *sets):
    words = [w for s in sets for w in ("--set", s)]
    check = json.loads(run(binary, "check", scenario, "--json", *words))
    own = next(p for p in check["paths"] if p["key"] == "own")
    node = {n["id"]: n for n in check["trace"]}
    return check, own, node


def in_dollars(node):
    factor = {"USD": 1, "MUSD": 1e6, "GUSD": 1e9, "USD/GPU/h": 1}
    return node["value"] * factor[node["unit"]]


def compare(book, sheets, binary, scenario, *sets):
    check, own, node = engine(binary, scenario, *sets)
    for name, id_, most in (("out_present", "money.own.present_cost", CENT),
                            ("out_installed", "money.own.per_installed_gpu_hour", 1e-9),
                            ("out_used", "money.own.per_gpu_hour", 1e-9)):
        got, want = named(book, sheets, name), in_dollars(node[id_])
        assert abs(got - want) <= most, f"{scenario} {sets}: {name} is {got!r}, the engine says {want!r}"
    paid = sum(m["usd"] for m in own["cash_flow"])
    assert abs(named(book, sheets, "out_paid") - paid) <= CENT, f"{scenario} {sets}: paid"
    return check, own


def months(sheets, own, scenario):
    """Every month of the cash flow, to the cent."""
    rows = sheets["Cash flow"]
    head = next(i for i, r in enumerate(rows) if r and r[0] == "month")
    paid = rows[head].index("paid")
    for month, row in zip(own["cash_flow"], rows[head + 1:]):
        assert row[1] == month["date"] and abs(float(row[paid]) - month["usd"]) <= CENT, \
            f"{scenario} {month['date']}: {row[paid]}, the engine says {month['usd']}"


def limits(sheets, check, scenario):
    rows = sheets["Margins"][2:]
    assert [r[8] for r in rows if len(r) > 8 and r[8]] == [m["id"] for m in check["margins"]]
    for row, margin in zip(rows, check["margins"]):
        assert row[6] == ("yes" if margin["holds"] else "no"), f"{scenario}: {margin['id']}"
        if margin["headroom"] is not None:
            assert abs(number(row[5]) - margin["headroom"]) <= 1e-9 * max(1, abs(margin["headroom"]))


def bill(sheets, check, scenario):
    rows = {r[9]: r for r in sheets["Bill of materials"][2:] if len(r) > 9 and r[9]}
    for line in check["bill"]:
        if line["total"]:
            assert abs(float(rows[line["id"]][4]) - line["total"]["value"]) <= CENT, f"{scenario}: {line['id']}"


def no_errors(sheets, scenario):
    for name, rows in sheets.items():
        for row in rows:
            bad = [c for c in row if re.match(r"^(#[A-Z/0!?]+|Err:\d+)$", c)]
            assert not bad, f"{scenario}: {name} has {bad}"


# A change of one cell, and the same as the engine takes it.
CHANGES = [
    ("in_discount", 0.12, "money.discount=12 %"),
    ("in_escalation", 0.07, "money.escalation=7 %"),
    ("in_utilisation", 0.5, "money.utilisation=50 %"),
    ("in_months", 84, "money.horizon=7 yr"),
    ("in_it_life", 24, "money.economic_life=2 yr"),
    ("in_facility_life", 120, "money.facility_life=10 yr"),
]
WITH_PRICES = [
    ("in_money_accelerator_price", 60000, "money.accelerator_price=60000 USD"),
    ("in_money_energy_price", 0.11, "money.energy_price=0.11 USD/kWh"),
    ("in_money_construction", 9000, "money.construction=9000 USD/kW"),
    ("in_money_person", 200000, "money.person=200000 USD/yr"),
]


def one(office, binary, folder, scenario, changes, *sets):
    path = folder / "book.xlsx"
    run(binary, "report", scenario, "-o", path, *[w for s in sets for w in ("--set", s)])
    book = Book(path)
    sheets = office.sheets(path)
    no_errors(sheets, scenario)
    check, own = compare(book, sheets, binary, scenario, *sets)
    months(sheets, own, scenario)
    limits(sheets, check, scenario)
    bill(sheets, check, scenario)
    frozen = [r for r in sheets["Inputs"] if len(r) > 5 and r[5].startswith("a number from the engine")]
    assert not frozen, f"{scenario}: not live: {frozen}"
    for name, value, change in changes:
        changed = folder / "changed.xlsx"
        book.change(name, value, changed)
        compare(book, office.sheets(changed), binary, scenario, *sets, change)
    print(f"{scenario} {' '.join(sets)}: good, {len(changes)} changes")


def main():
    binary = sys.argv[1]
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        print("LibreOffice is not installed (libreoffice-calc-nogui): nothing was recalculated")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        office = Office(program, folder)
        one(office, binary, folder, "scenarios/campus-100k.yaml", CHANGES[:1] + WITH_PRICES)
        one(office, binary, folder, "scenarios/chat-70b.yaml", CHANGES)
        one(office, binary, folder, "scenarios/llama3-405b.yaml", CHANGES[3:5], "money.tax=25 %", "money.residual=8 %")
        one(office, binary, folder, "scenarios/edge-retail.yaml", CHANGES[:1])


if __name__ == "__main__":
    main()
