"""A variable's value that is not rendered yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Pending:
    """`ask` renders it; it may raise TemplateError."""

    ask: Callable[[], Any]
