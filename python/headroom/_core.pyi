"""The library itself."""

def invoke(arguments: list[str], text: str | None, name: str) -> tuple[int, str, str]:
    """Runs a command of `headroom` in this process, without the interpreter's lock: its exit
    status, what it prints and what it says on standard error. `text` is what it reads as `-`,
    under `name`."""

def options(verb: list[str]) -> list[tuple[str, str, bool, bool]]:
    """Every option of a verb: name, help, whether it takes a value, whether it repeats."""

def page_with(document: str) -> str:
    """The web page, one HTML file that needs no network, with a JSON document as its data."""
