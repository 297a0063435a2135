"""Rows with names: a pandas DataFrame when pandas is there, else a small table."""

from __future__ import annotations

from html import escape
from typing import Any, Iterator, Mapping, Sequence


class Table(Sequence[Mapping[str, Any]]):
    """Rows of equal columns. `table[3]` is a row (a dict), `table["need"]` a column (a list)."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None):
        if columns is None:
            seen: dict[str, None] = {}
            for row in rows:
                seen.update(dict.fromkeys(row))
            columns = list(seen)
        self.columns = list(columns)
        self.rows = [{c: row.get(c) for c in self.columns} for row in rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if key not in self.columns:
                raise KeyError(f"no column {key!r}; there are {', '.join(self.columns)}")
            return [row[key] for row in self.rows]
        if isinstance(key, slice):
            return Table(self.rows[key], self.columns)
        return self.rows[key]

    def to_dict(self, orient: str = "records") -> Any:
        """`records`: a list of rows; `list`: columns by name (pandas' words)."""
        if orient == "records":
            return [dict(row) for row in self.rows]
        if orient == "list":
            return {c: self[c] for c in self.columns}
        raise ValueError(f"orient is 'records' or 'list', not {orient!r}")

    def __repr__(self) -> str:
        cells = [self.columns] + [[_cell(row[c]) for c in self.columns] for row in self.rows]
        width = [max(len(line[i]) for line in cells) for i in range(len(self.columns))]
        return "\n".join("  ".join(t.ljust(w) for t, w in zip(line, width)).rstrip()
                         for line in cells)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(c)}</th>" for c in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_cell(row[c]))}</td>" for c in self.columns) + "</tr>"
            for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if type(value) is float else str(value)
    return str(value)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> Any:
    """A DataFrame when pandas can be imported, else a `Table`."""
    try:
        import pandas
    except ImportError:
        return Table(rows, columns)
    made = Table(rows, columns)
    return pandas.DataFrame(made.rows, columns=made.columns)
