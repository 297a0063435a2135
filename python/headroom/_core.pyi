"""The library itself."""

class Progress:
    """How far a command is, seen from another thread, which may also ask it to stop."""

    def now(self) -> tuple[str, int, int]:
        """What is being done, how many units of it are, and of how many (0: not known)."""

    def ask_stop(self) -> None:
        """The command ends within some 100 ms, with the status 130."""

def invoke(arguments: list[str], text: str | None, name: str,
           progress: Progress | None = None) -> tuple[int, str, str]:
    """Runs a command of `headroom` in this process, without the interpreter's lock: its exit
    status, what it prints and what it says on standard error. `text` is what it reads as `-`,
    under `name`. Ctrl-C stops it: KeyboardInterrupt."""

def options(verb: list[str]) -> list[tuple[str, str, bool, bool]]:
    """Every option of a verb: name, help, whether it takes a value, whether it repeats."""

def page_with(document: str) -> str:
    """The web page, one HTML file that needs no network, with a JSON document as its data."""
