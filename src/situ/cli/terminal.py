"""What is printed. Text may come from a stranger's file, so nothing in it can steer the terminal."""

import sys


def printable(text: str) -> str:
    """With every character that is not printed, an escape code's too, written as its code."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def say(text: str) -> None:
    """A result, to standard output."""
    print(printable(text), flush=True)


def warn(text: str) -> None:
    """One line to standard error."""
    print(f"situ: warning: {_line(text)}", file=sys.stderr, flush=True)


def fail(text: str) -> int:
    """One line to standard error, and the exit status of a user's mistake."""
    print(f"situ: error: {_line(text)}", file=sys.stderr, flush=True)
    return 2


def _line(text: str) -> str:
    return printable(" ".join(text.splitlines()))
