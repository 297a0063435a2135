"""A report: every verb's answer about one scenario, and the page that draws them."""

from __future__ import annotations

from typing import Any

from ._results import Answer, Check, FacilityAnswer, InferAnswer, TrainAnswer, frame, page_of

_KINDS: dict[str, Any] = {
    "check": Check, "year": FacilityAnswer, "chain": FacilityAnswer, "train": TrainAnswer,
    "infer": InferAnswer,
}


class Report(Answer):
    """Everything about a scenario. ``r.check``, ``r.year``, ``r.train``, ... are the answers of the
    verbs; ``r.figures`` what the pictures need beside them. In a notebook it draws itself."""

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self.data.get("parts", {}):
            part = self.data["parts"][name]
            return _KINDS.get(name, Answer)(part)
        return super().__getattr__(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.data.get("parts", {})})

    @property
    def html(self) -> str:
        """The page, one file that needs no network."""
        return page_of(self.data)

    def _repr_html_(self) -> str:
        return frame(self.html, 900)

    def __repr__(self) -> str:
        parts = ", ".join(self.data.get("parts", {}))
        return f"<Report {self.data['name']!r}: {parts}>"
