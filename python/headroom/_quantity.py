"""Numbers with their unit: floats that know it, or pint quantities."""

from __future__ import annotations

from typing import Any

_choice = "float"

# What the engine writes and pint calls otherwise, or does not know.
_PINT = {
    "%": "percent", "USD": "usd", "kUSD": "kusd", "MUSD": "megausd", "BUSD": "gigausd",
    "token/s": "token/second", "GPU-h": "gpu*hour", "d": "day", "yr": "year", "mo": "month",
    "wk": "week", "h": "hour", "ms": "millisecond", "us": "microsecond", "degC": "degC", "1": "",
}
_DEFINED = ("usd = [money]", "token = []", "gpu = []", "request = []", "rack = []", "port = []",
            "tCO2e = 1000 * kilogram", "gCO2e = gram", "kgCO2e = kilogram", "FLOP = []")


class Quantity(float):
    """A float with a `unit`: it calculates, compares and prints as the plain number.

    >>> q = Quantity(132.0, "kW"); q + 1, q.unit, f"{q:.0f}"
    (133.0, 'kW', '132')
    """

    unit: str

    def __new__(cls, value: float, unit: str = "") -> "Quantity":
        self = super().__new__(cls, value)
        self.unit = unit
        return self

    def __getnewargs__(self) -> tuple[float, str]:  # type: ignore[override]
        return float(self), self.unit

    def __repr__(self) -> str:
        return f"{float(self)!r} {self.unit}".rstrip()

    def __str__(self) -> str:
        return f"{float(self):.6g} {self.unit}".rstrip()

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else str(self)

    def pint(self) -> Any:
        """The same as a `pint` quantity. Raises ImportError without pint, and ValueError for a
        unit that pint has no word for."""
        registry = _registry()
        words = self.unit
        for ours, theirs in _PINT.items():
            if words == ours:
                words = theirs
                break
        else:
            words = "/".join(_PINT.get(part, part) for part in words.split("/"))
        try:
            return registry.Quantity(float(self), words)
        except Exception as error:  # pint's own errors are many
            raise ValueError(f"pint has no unit {self.unit!r}") from error


_pint_registry: Any = None


def _registry() -> Any:
    global _pint_registry
    if _pint_registry is None:
        import pint

        made = pint.UnitRegistry()
        for line in _DEFINED:
            name = line.split(" ")[0]
            if name not in made:
                made.define(line)
        _pint_registry = made
    return _pint_registry


def use_units(choice: str) -> None:
    """How quantities come out: "float" (the default) or "pint"."""
    global _choice
    if choice not in ("float", "pint"):
        raise ValueError(f"units are 'float' or 'pint', not {choice!r}")
    if choice == "pint":
        _registry()
    _choice = choice


def units() -> str:
    """The choice that holds: "float" or "pint"."""
    return _choice


def made(value: float, unit: str) -> Any:
    """A quantity as `use_units` says; a unit that pint does not know stays a float."""
    q = Quantity(value, unit)
    if _choice == "pint":
        try:
            return q.pint()
        except ValueError:
            return q
    return q
