"""Secrets: a reference that may be written down, and a value that may not be shown."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

_REFERENCE = re.compile(r"secret://([a-z][a-z0-9_]*)/(.+)", re.DOTALL)


@dataclass(frozen=True)
class SecretRef:
    """`secret://PROVIDER/REFERENCE`: says where a secret is, and is not one itself."""

    provider: str
    reference: str

    @classmethod
    def parse(cls, text: str) -> SecretRef | None:
        """The reference that the whole of `text` is, or None."""
        match = _REFERENCE.fullmatch(text)
        return cls(match[1], match[2]) if match else None

    def __str__(self) -> str:
        return f"secret://{self.provider}/{self.reference}"


class Secret:
    """A secret's value. Nothing prints it: `repr`, `str`, formatting and pickling do not show it."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The value, for the one place that must send it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")


Secrets = Mapping[SecretRef, Secret]


@dataclass(frozen=True, kw_only=True)
class SecretRule:
    """What a file's format cannot hold inside a secret."""

    forbidden: str = ""  # characters
    longest: int = 0  # bytes; 0 = no limit

    def refusal(self, secret: Secret) -> str:
        """Why this secret cannot be written, without a word of it; "" when it can."""
        value = secret.reveal()
        if self.longest and len(value) > self.longest:
            return f"is longer than {self.longest} bytes"
        if any(char.encode() in value for char in self.forbidden):
            return f"has one of the characters {self.forbidden!a}"
        return ""


@dataclass(frozen=True)
class FingerprintKey:
    """The controller's own key: makes a secret's change visible and its value unguessable."""

    key: Secret

    def digest(self, value: bytes) -> str:
        """64 hex digits; the server can make the same one with `{ printf KEY; cat FILE; } | sha256sum`."""
        return hashlib.sha256(self.key.reveal() + value).hexdigest()

    def fingerprint(self, value: bytes) -> str:
        """What a person sees of a secret: "keyed:" and 12 hex digits."""
        return f"keyed:{self.digest(value)[:12]}"
