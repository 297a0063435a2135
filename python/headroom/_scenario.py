"""Scenarios: a YAML file (or its text) with changes over it."""

from __future__ import annotations

import os
from typing import Any

from . import _calls
from ._report import Report
from ._results import Check, FacilityAnswer, InferAnswer, TrainAnswer


class Scenario:
    """A scenario. The file is never written; `set` lays changes over it.

    >>> s = hr.load("scenarios/llama3-405b.yaml").set("clusters.gpu.count", 1024)
    """

    def __init__(self, file: str = "", text: str | None = None, name: str = "<text>",
                 catalog: str | None = None):
        self.file = file
        self.text = text
        self.name = name
        self.catalog = catalog
        self.sets: list[str] = []

    def set(self, path: str, value: Any) -> "Scenario":
        """One input changed, in place: a number, a text with its unit, a quantity. The path is
        checked when the scenario is next used. Returns the scenario, so that calls chain."""
        if not path or "=" in path:
            raise ValueError(f"a path like 'clusters.gpu.count', not {path!r}")
        change = f"{path}={_calls.text(value)}"
        self.sets = [s for s in self.sets if s.split("=", 1)[0] != path] + [change]
        return self

    def copy(self) -> "Scenario":
        """The same scenario, to be changed on its own."""
        made = Scenario(self.file, self.text, self.name, self.catalog)
        made.sets = list(self.sets)
        return made

    def check(self, ranges: bool = False) -> Check:
        """Every limit, money, energy, carbon and water."""
        words = ["check", *self._arguments(), *(["--ranges"] if ranges else [])]
        return Check(_calls.answer(words, self._source()), self)

    def explain(self, id: str) -> str:
        """How a figure came to be, down to its sources."""
        return _calls.explain(self, id)

    def train(self, **given: Any) -> TrainAnswer:
        """Plans of its training runs; keywords as in `headroom.train`."""
        return _calls.train(self, **given)

    def infer(self, **given: Any) -> InferAnswer:
        """Configurations of its serving; keywords as in `headroom.infer`."""
        return _calls.infer(self, **given)

    def facility(self, **given: Any) -> FacilityAnswer:
        """A year of its halls; keywords as in `headroom.facility`."""
        return _calls.facility(self, **given)

    def report(self, out: Any = None, **given: Any) -> Report:
        """Everything in one page (or workbook, JSON, CSV); keywords as in `headroom.report`."""
        return _calls.report(self, out, **given)

    def _arguments(self) -> list[str]:
        words = ["-" if self.text is not None else self.file]
        for change in self.sets:
            words += ["--set", change]
        if self.catalog:
            words += ["--catalog", self.catalog]
        return words

    def _source(self) -> tuple[str, str] | None:
        return None if self.text is None else (self.name, self.text)

    def __repr__(self) -> str:
        changes = f" with {', '.join(self.sets)}" if self.sets else ""
        return f"<Scenario {self.file or self.name}{changes}>"


def load(file: Any, catalog: Any = None) -> Scenario:
    """A scenario file. It is read when it is used; FileNotFoundError when there is none."""
    name = os.fspath(file)
    if not os.path.exists(name):
        raise FileNotFoundError(f"no scenario {name!r}")
    return Scenario(name, catalog=None if catalog is None else os.fspath(catalog))


def loads(text: str, name: str = "<text>", catalog: Any = None) -> Scenario:
    """A scenario from its YAML text; `name` stands in messages in place of a file."""
    return Scenario(text=text, name=name, catalog=None if catalog is None else os.fspath(catalog))
