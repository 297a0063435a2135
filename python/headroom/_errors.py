"""Mistakes in the input, each at its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping


@dataclass(frozen=True)
class Mistake:
    """One mistake. `line` and `column` count from 1; 0 where there is none (an option)."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    excerpt: str = ""

    @property
    def place(self) -> str:
        """`file:line:column`, as far as it is known."""
        if self.line <= 0:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.file else self.message
        if self.hint:
            text += f"\n  {self.hint}"
        return text


class InputError(ValueError):
    """The input has mistakes: all of them, in `mistakes`, in the order they stand."""

    def __init__(self, mistakes: Iterable[Mistake], text: str = "") -> None:
        self.mistakes: list[Mistake] = list(mistakes)
        super().__init__(text or "\n".join(str(m) for m in self.mistakes) or "bad input")

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "InputError":
        fields = ("file", "line", "column", "path", "message", "hint", "excerpt")
        return cls(Mistake(**{f: m[f] for f in fields if f in m})
                   for m in answer.get("diagnostics", []))
