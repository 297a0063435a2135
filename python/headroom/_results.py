"""Answers: the document of `--json`, with names as attributes and quantities as numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from . import _core
from ._quantity import Quantity, made
from ._table import table


def wrap(value: Any) -> Any:
    """Objects as `Answer`, {value, unit} as quantities, lists item by item."""
    if isinstance(value, dict):
        if "value" in value and "unit" in value:
            number = value["value"]
            return made(number, value["unit"]) if isinstance(number, (int, float)) else number
        return Answer(value)
    if isinstance(value, list):
        return [wrap(v) for v in value]
    return value


class Answer(Mapping[str, Any]):
    """A part of an answer. ``a.pue`` is ``a["pue"]``; `data` is the plain document."""

    def __init__(self, data: Mapping[str, Any]):
        self.data = data

    def __getitem__(self, key: str) -> Any:
        return wrap(self.data[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "data":
            raise AttributeError(name)
        for key in (name, name.replace("_", " "), name.replace("_", "-")):
            if key in self.data:
                return self[key]
        raise AttributeError(f"no {name!r} in this answer; there are {', '.join(self.data)}")

    def __dir__(self) -> list[str]:
        words = [k.replace(" ", "_").replace("-", "_") for k in self.data]
        return sorted({*super().__dir__(), *(w for w in words if w.isidentifier())})

    def __eq__(self, other: object) -> bool:
        return self.data == (other.data if isinstance(other, Answer) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.data)}>"

    def _repr_html_(self) -> str:
        return _html(self.data)


def _html(data: Any) -> str:
    if isinstance(data, Mapping):
        if "value" in data and "unit" in data and isinstance(data["value"], (int, float)):
            return escape(str(Quantity(data["value"], data["unit"])))
        rows = "".join(f"<tr><th>{escape(str(v.get('label', k) if isinstance(v, Mapping) else k))}"
                       f"</th><td>{_html(v)}</td></tr>" for k, v in data.items())
        return f"<table>{rows}</table>"
    if isinstance(data, list):
        if len(data) > 20 and not any(isinstance(d, Mapping) for d in data):
            return f"{len(data)} values"
        if data and all(isinstance(d, Mapping) for d in data):
            return f"<details><summary>{len(data)}</summary>" + "".join(map(_html, data)) + \
                "</details>"
        return escape(", ".join(map(str, data)))
    if isinstance(data, float):
        return escape(f"{data:.6g}")
    return escape("" if data is None else str(data))


def page_of(document: Mapping[str, Any]) -> str:
    """The web page with a report document inside."""
    return _core.page_with(json.dumps(document, ensure_ascii=False))


def frame(page: str, height: int) -> str:
    """A page inside a notebook's cell: its styles and scripts stay its own."""
    return (f'<iframe srcdoc="{escape(page, quote=True)}" sandbox="allow-scripts" '
            f'style="width:100%;height:{height}px;border:0" title="headroom report"></iframe>')


class Margin(Answer):
    """One limit: `need` against `have`, and the `headroom` between them (a share of need)."""

    @property
    def headroom(self) -> float | None:
        """have / need - 1, or need / have - 1 where less is better; None for a condition."""
        return self.data["headroom"]

    @property
    def remedies(self) -> list[Any]:
        """What lifts the limit, cheapest first."""
        return wrap(self.data["remedies"])

    def __repr__(self) -> str:
        sign = "holds" if self.data["holds"] else "FALLS SHORT"
        room = "" if self.headroom is None else f", headroom {100 * self.headroom:+.1f} %"
        return f"<Margin {self.data['id']}: {sign}, needs {self.need}, has {self.have}{room}>"


_BAR = "background:{};height:.7em;width:{:.0f}%;min-width:1px;border-radius:2px"


class Check(Answer):
    """Every limit of a scenario, money, energy, carbon and water: `headroom check`."""

    def __init__(self, data: Mapping[str, Any], scenario: Any = None):
        super().__init__(data)
        self._scenario = scenario

    @property
    def fits(self) -> bool:
        """Every limit holds."""
        return self.data["verdict"] == "fits"

    @property
    def limits(self) -> list[Margin]:
        """Every limit, the least headroom first."""
        return [Margin(m) for m in self.data["margins"]]

    @property
    def binding(self) -> Margin | None:
        """The limit that breaks first."""
        for margin in self.data["margins"]:
            if margin["id"] == self.data.get("binding"):
                return Margin(margin)
        return None

    def margin(self, id: str) -> Margin:
        """The limit of this id. KeyError names the nearest."""
        for margin in self.data["margins"]:
            if margin["id"] == id:
                return Margin(margin)
        from ._calls import _nearest

        ids = [m["id"] for m in self.data["margins"]]
        raise KeyError(f"no limit {id!r}{_nearest(id, ids)}")

    @property
    def margins(self) -> Any:
        """Every limit as a row: a DataFrame when pandas is there."""
        return table([{
            "id": m["id"], "layer": m["layer"], "limit": m["limit"],
            "need": m["need"]["value"], "have": m["have"]["value"], "unit": m["need"]["unit"],
            "headroom": m["headroom"], "holds": m["holds"],
        } for m in self.data["margins"]])

    def explain(self, id: str) -> str:
        """How a figure came to be, down to its sources."""
        if self._scenario is None:
            raise ValueError("this answer does not know its scenario")
        return self._scenario.explain(id)

    def page(self) -> str:
        """This answer in the report's page: one HTML file that needs no network."""
        return page_of({"kind": "headroom-report", "version": "", "name": self.data["scenario"],
                        "file": self.data["file"], "date": None, "scenario": "",
                        "parts": {"check": self.data}, "failed": {}})

    def __repr__(self) -> str:
        verdict = "fits" if self.fits else "falls short"
        return f"<Check {self.data['scenario']!r}: {verdict}, first to break {self.binding!r}>"

    def _repr_html_(self) -> str:
        rows = []
        for m in self.data["margins"]:
            room = m["headroom"]
            colour = "#1a7f4b" if m["holds"] else "#b3261e"
            width = 100 if room is None else min(100.0, max(1.0, 100 * abs(room)))
            share = "" if room is None else f"{100 * room:+.1f} %"
            rows.append(
                f"<tr><td>{escape(m['layer'])}</td><td title='{escape(m['why'], quote=True)}'>"
                f"{escape(m['limit'])}</td>"
                f"<td>{escape(str(Quantity(m['need']['value'], m['need']['unit'])))}</td>"
                f"<td>{escape(str(Quantity(m['have']['value'], m['have']['unit'])))}</td>"
                f"<td>{share}</td><td style='width:12em'>"
                f"<div style='{_BAR.format(colour, width)}'></div></td></tr>")
        verdict = "It fits." if self.fits else "It does not fit."
        return (f"<p><b>{escape(self.data['scenario'])}</b>: {verdict}</p><table><thead><tr>"
                "<th>layer</th><th>limit</th><th>need</th><th>have</th><th>headroom</th><th></th>"
                f"</tr></thead><tbody>{''.join(rows)}</tbody></table>")


class _Runs(Answer):
    """An answer of one part a workload."""

    @property
    def fits(self) -> bool:
        """Every limit of every workload holds."""
        return self.data["verdict"] == "fits"

    @property
    def run(self) -> Answer:
        """The only workload. ValueError when there are several: use `runs`."""
        runs = self.data["runs"]
        if len(runs) != 1:
            names = ", ".join(r["workload"] for r in runs)
            raise ValueError(f"{len(runs)} workloads ({names}): use runs")
        return Answer(runs[0])


class TrainAnswer(_Runs):
    """Plans of training runs: `headroom train`."""

    @property
    def plans(self) -> Any:
        """The plans, the best first: a DataFrame when pandas is there."""
        return table([_flat(p) for p in self.data["runs"][0]["plans"]] if self.data["runs"] else [])

    @property
    def best(self) -> Answer | None:
        """The plan that is fastest (or cheapest: as asked)."""
        plans = self.run.data["plans"]
        return Answer(plans[0]) if plans else None


class InferAnswer(_Runs):
    """Configurations of serving: `headroom infer`."""

    @property
    def chosen(self) -> Answer | None:
        """The configuration of least cost (energy, GPUs: as asked) inside the SLOs."""
        chosen = self.run.data.get("chosen")
        return Answer(chosen) if chosen else None

    @property
    def configurations(self) -> Any:
        """The chosen one and the next best, as rows."""
        run = self.run.data
        rows = [r for r in [run.get("chosen"), *run.get("others", [])] if r]
        return table([_flat(r) for r in rows])


class ReplayAnswer(Answer):
    """A trace through the engine: `headroom replay`."""


class FacilityAnswer(Answer):
    """A year of the halls and what fails in them: `headroom facility`."""

    @property
    def months(self) -> Any:
        """The months as rows, where the year was asked for."""
        year = self.data.get("year") or {}
        return table([_flat(m) for m in year.get("months", [])])


def _flat(row: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested objects as columns `plan.tp`; quantities as numbers with `(unit)` in the name."""
    out: dict[str, Any] = {}
    for key, value in row.items():
        name = before + key
        if isinstance(value, Mapping) and "value" in value and "unit" in value:
            unit = value["unit"]
            out[f"{name} ({unit})" if unit else name] = value["value"]
        elif isinstance(value, Mapping):
            out.update(_flat(value, name + "."))
        elif not isinstance(value, list):
            out[name] = value
    return out
