"""The verbs of the command line as functions."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from typing import Any, Iterable

from . import _core
from ._errors import InputError, Mistake
from ._report import Report
from ._results import (Answer, FacilityAnswer, InferAnswer, ReplayAnswer, TrainAnswer, wrap)

FITS, FALLS_SHORT, BAD_INPUT, INTERNAL_ERROR, STOPPED = 0, 1, 2, 3, 130

# Who watches what this thread asks, a _core.Progress; a sweep sets it for its threads.
watch = threading.local()


@dataclass(frozen=True)
class Option:
    """An option of a verb. `keyword` is its name in Python, `flag` its name on the command
    line; one without a value is set by True, one that repeats by a list."""

    keyword: str
    flag: str
    doc: str
    takes_value: bool
    repeats: bool


def version() -> str:
    """`headroom 0.1.0`."""
    return _core.invoke(["--version"], None, "")[1].strip()


_known: dict[str, dict[str, Option]] = {}
_OURS = {"help", "json", "csv", "quiet", "out", "form"}  # what the functions themselves decide


def options(verb: str) -> list[Option]:
    """Every option of `train`, `infer`, `replay`, `facility`, `check`, ..."""
    return list(_options(verb).values())


def _options(verb: str) -> dict[str, Option]:
    if verb not in _known:
        found = {}
        for flag, doc, takes_value, repeats in _core.options(verb.split()):
            keyword = flag.lstrip("-").replace("-", "_")
            if keyword not in _OURS:
                found[keyword] = Option(keyword, flag, doc, takes_value, repeats)
        _known[verb] = found
    return _known[verb]


def _nearest(word: str, words: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def arguments(verb: str, given: dict[str, Any]) -> list[str]:
    """Keywords as options of the command line. TypeError for one that the verb does not have."""
    known = _options(verb)
    out: list[str] = []
    for keyword, value in given.items():
        keyword = keyword.rstrip("_")
        option = known.get(keyword)
        if option is None:
            raise TypeError(f"{verb} has no option {keyword!r}{_nearest(keyword, known)}")
        if value is None or value is False:
            continue
        if not option.takes_value:
            if value is not True:
                raise TypeError(f"{verb}: {keyword} is True or False, not {value!r}")
            out.append(option.flag)
            continue
        many = value if isinstance(value, (list, tuple)) else [value]
        if option.repeats:
            for one in many:
                out += [option.flag, text(one)]
        else:
            out += [option.flag, ",".join(text(one) for one in many)]
    return out


def text(value: Any) -> str:
    """A value as the command line reads it: quantities with their unit."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        unit = getattr(value, "unit", "")
        return f"{float(value)!r} {unit}".strip()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "magnitude") and hasattr(value, "units"):  # pint
        return f"{value.magnitude!r} {value.units:~}".strip()
    return str(value)


def run(arguments: list[str], source: tuple[str, str] | None = None) -> tuple[int, str]:
    """The status and the text of a command; InputError where it refuses its input. Ctrl-C stops a
    long one: KeyboardInterrupt."""
    content, name = (source[1], source[0]) if source else (None, "")
    status, out, err = _core.invoke(arguments, content, name, getattr(watch, "progress", None))
    if status == STOPPED:
        raise KeyboardInterrupt
    if status == BAD_INPUT:
        try:
            raise InputError.of(json.loads(out))
        except json.JSONDecodeError:
            message = (err or out).strip()
            raise InputError([Mistake("", 0, 0, "", message)], message) from None
    if status == INTERNAL_ERROR:
        raise RuntimeError((err or out).strip())
    return status, out


def answer(arguments: list[str], source: tuple[str, str] | None = None) -> Any:
    """The document a command prints with `--json`."""
    return json.loads(run(arguments + ["--json"], source)[1])


def _of(scenario: Any) -> tuple[list[str], tuple[str, str] | None]:
    """The positional FILE, its `--set`s and its text."""
    if scenario is None:
        return [], None
    from ._scenario import Scenario

    if not isinstance(scenario, Scenario):
        scenario = Scenario(file=os.fspath(scenario))
    return scenario._arguments(), scenario._source()


def train(scenario: Any = None, /, **given: Any) -> TrainAnswer:
    """Plans of a training run: `headroom train`. Without a scenario the options say everything:
    ``train(model="llama-3.1-405b", system="dgx-h100", gpus=16384)``."""
    file, source = _of(scenario)
    return TrainAnswer(answer(["train", *file, *arguments("train", given)], source))


def infer(scenario: Any = None, /, **given: Any) -> InferAnswer:
    """GPUs, engine, times, power and money of serving: `headroom infer`."""
    file, source = _of(scenario)
    return InferAnswer(answer(["infer", *file, *arguments("infer", given)], source))


def replay(trace: Any = None, /, **given: Any) -> ReplayAnswer:
    """A trace of requests (or a synthetic load) through the engine: `headroom replay`."""
    file = [] if trace is None else [os.fspath(trace)]
    return ReplayAnswer(answer(["replay", *file, *arguments("replay", given)]))


def facility(scenario: Any, /, **given: Any) -> FacilityAnswer:
    """Power, cooling, water of the halls over a year, and failures: `headroom facility`."""
    file, source = _of(scenario)
    return FacilityAnswer(answer(["facility", *file, *arguments("facility", given)], source))


def report(scenario: Any, out: Any = None, /, **given: Any) -> Report:
    """Everything about a scenario: `headroom report`. The answer shows itself in a notebook, and
    ``report(s, "report.html")`` (.html, .xlsx, .json, .csv) also writes a file.
    Keywords: full=True for what takes longer, also=[...] for scenarios beside it."""
    file, source = _of(scenario)
    words = ["report", *file, *arguments("report", given)]
    if out is not None:
        run([*words, "-o", os.fspath(out)], source)
    return Report(json.loads(run([*words, "-o", "-", "--form", "json"], source)[1]))


def explain(scenario: Any, figure: str, /, **given: Any) -> str:
    """How a figure came to be, down to its sources: `headroom explain`."""
    file, source = _of(scenario)
    return run(["explain", *file, figure, *arguments("explain", given)], source)[1]


def validate(what: str, *files: Any, **given: Any) -> Answer:
    """The models against measurements: ``validate("train", "measured.yaml")``."""
    verb = f"validate {what}"
    names = [os.fspath(f) for f in files]
    return Answer(answer(["validate", what, *names, *arguments(verb, given)]))


def catalog(kind: str | None = None, id: str | None = None, /, **given: Any) -> Any:
    """Kinds with their entries; the entries of a kind; an entry with the source of each number."""
    words = [w for w in (kind, id) if w is not None]
    return wrap(answer(["catalog", *words, *arguments("catalog", given)]))


def schema(what: str = "scenario", /) -> dict[str, Any]:
    """JSON Schema of a scenario, or of a kind of the catalogue."""
    return json.loads(run(["schema", what])[1])


def claims(id: str | None = None, /) -> Any:
    """Published claims about AI infrastructure, checked by the engine."""
    return wrap(answer(["claims", *([id] if id else [])]))
