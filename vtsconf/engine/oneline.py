"""A program for a server's shell, written over several lines."""

from __future__ import annotations


def program(text: str) -> tuple[str, ...]:
    """The words before its arguments. One line for `sh -c`, since no control character passes to a server; comments in
    `text` stand on lines of their own.
    """
    lines = (line.strip() for line in text.splitlines())
    return ("sh", "-c", " ".join(line for line in lines if line and not line.startswith("#")), "sh")
