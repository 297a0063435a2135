"""Many variants of a scenario, side by side."""

from __future__ import annotations

import itertools
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any, Callable, Iterable, Mapping, TextIO

from . import _calls, _core
from ._scenario import Scenario
from ._table import table


class Cancelled(KeyboardInterrupt):
    """A sweep was stopped: `rows` holds what was finished."""

    def __init__(self, rows: list[dict[str, Any]]):
        super().__init__(f"stopped after {len(rows)} variants")
        self.rows = rows


_EIGHTHS = " ▏▎▍▌▋▊▉"


class _Bar:
    """A line of progress, ten times a second, to a terminal or a notebook only: tqdm's where that is
    installed, else one like that of the command line."""

    def __init__(self, total: int, wanted: bool | None, stream: TextIO):
        self.total, self.stream, self.started = total, stream, time.monotonic()
        self.last = 0.0
        self.wanted = stream.isatty() if wanted is None else wanted
        self.tqdm = None
        if self.wanted:
            try:
                from tqdm.auto import tqdm

                self.tqdm = tqdm(total=total, unit="variant", file=stream)
            except ImportError:
                pass

    def show(self, done: int, end: bool = False) -> None:
        now = time.monotonic()
        if not self.wanted or (not end and now - self.last < 0.1):
            return
        self.last = now
        if self.tqdm is not None:
            self.tqdm.update(done - self.tqdm.n)
            if end:
                self.tqdm.close()
            return
        cells = 30
        parts = cells * 8 * done // max(self.total, 1)
        bar = ("█" * (parts // 8) + (_EIGHTHS[parts % 8] if parts < cells * 8 else "")).ljust(cells)
        spent = now - self.started
        left = spent / done * (self.total - done) if done else 0
        self.stream.write(f"\rvariants {bar} {100 * done // max(self.total, 1):3d} %  {done} of {self.total}"
                          f"  {spent:.0f} s, {left:.0f} s to go \x1b[K")
        if end:
            self.stream.write("\n")
        self.stream.flush()


def _default(scenario: Scenario) -> dict[str, Any]:
    answer = scenario.check()
    binding = answer.binding
    return {"fits": answer.fits, "binding": binding.data["id"] if binding else None,
            "headroom": binding.headroom if binding else None}


def sweep(scenario: Scenario, over: Mapping[str, Iterable[Any]],
          measure: Callable[[Scenario], Any] = _default, *, workers: int | None = None,
          progress: bool | None = None, errors: str = "raise") -> Any:
    """Every combination of the values in `over`, each a path of the scenario, as a row.

    `measure` takes the changed scenario and returns a number, or a mapping of columns; without it
    the verdict, the binding limit and its headroom are told. Variants run side by side on
    `workers` threads (as many as there are processors), since an answer holds no interpreter lock.
    Rows stand in the order of the combinations whatever finishes first.

    `errors`: "raise" the first mistake, or "keep" it in a column `error`.
    `progress`: a bar on standard error; by default to a terminal only (tqdm's where it is
    installed). Ctrl-C stops the variants that run and raises `Cancelled`, which holds the rows that
    were finished.
    """
    if errors not in ("raise", "keep"):
        raise ValueError(f"errors is 'raise' or 'keep', not {errors!r}")
    axes = {path: list(values) for path, values in over.items()}
    for path, values in axes.items():
        if not values:
            raise ValueError(f"{path} has no values")
    points = [dict(zip(axes, c)) for c in itertools.product(*axes.values())]

    watched = [_core.Progress() for _ in points]

    def one(point: Mapping[str, Any], progress: Any) -> dict[str, Any]:
        _calls.watch.progress = progress
        try:
            return measured(point)
        finally:
            _calls.watch.progress = None

    def measured(point: Mapping[str, Any]) -> dict[str, Any]:
        variant = scenario.copy()
        for path, value in point.items():
            variant.set(path, value)
        row = dict(point)
        try:
            found = measure(variant)
        except Exception as error:
            if errors == "raise":
                raise
            row["error"] = str(error)
            return row
        if isinstance(found, Mapping):
            row.update(found)
        else:
            row["value"] = found
        return row

    rows: list[dict[str, Any] | None] = [None] * len(points)
    bar = _Bar(len(points), progress, sys.stderr)
    with ThreadPoolExecutor(max_workers=workers or os.cpu_count() or 1) as pool:
        waiting = {pool.submit(one, p, watched[i]): i for i, p in enumerate(points)}
        try:
            while waiting:
                done, _ = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
                for future in done:
                    rows[waiting.pop(future)] = future.result()
                bar.show(len(points) - len(waiting))
        except KeyboardInterrupt:
            for future, place in waiting.items():
                future.cancel()
                watched[place].ask_stop()  # of those that run
            for future, place in waiting.items():
                if not future.cancel() and future.done() and future.exception() is None:
                    rows[place] = future.result()
            raise Cancelled([r for r in rows if r is not None]) from None
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
    bar.show(len(points), end=True)
    return table([r for r in rows if r is not None])
