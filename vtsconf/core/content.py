"""What a file shall hold: bytes with holes where secrets go, so that it can be shown and written down."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vtsconf.core.secret import SecretRef, Secrets

# Private-use characters bracket a reference while text is rendered and edited. A document that
# holds them is refused on reading, so they can only come from `mark`.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}".encode())


def mark(ref: SecretRef) -> str:
    """The text that stands for a secret inside rendered text, until `Content.from_marked`."""
    return f"{_OPEN}{ref}{_CLOSE}"


def unmarked(text: str) -> str:
    """The text without its marks: what will be there whatever the secrets are."""
    return _MARK.sub(b"", text.encode(errors="surrogatepass")).decode(errors="surrogatepass")


@dataclass(frozen=True)
class Content:
    """Bytes and secret references in order; the plain case is one part of bytes."""

    parts: tuple[bytes | SecretRef, ...] = ()

    @classmethod
    def plain(cls, data: bytes) -> Content:
        return cls((data,) if data else ())

    @classmethod
    def from_marked(cls, data: bytes) -> Content:
        """Cut marked bytes (UTF-8 marks) at the marks."""
        parts: list[bytes | SecretRef] = []
        for index, piece in enumerate(_MARK.split(data)):
            ref = SecretRef.parse(piece.decode()) if index % 2 else None
            if ref or piece:
                parts.append(ref or piece)
        return cls(tuple(parts))

    @property
    def secrets(self) -> tuple[SecretRef, ...]:
        return tuple(p for p in self.parts if isinstance(p, SecretRef))

    def resolve(self, secrets: Secrets) -> bytes:
        """The true bytes. KeyError when a secret is missing: resolve them all first."""
        return b"".join(secrets[p].reveal() if isinstance(p, SecretRef) else p for p in self.parts)

    def redacted(self) -> bytes:
        """The bytes a person may see."""
        return b"".join(f"‹{p}›".encode() if isinstance(p, SecretRef) else p for p in self.parts)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """How a plan file holds it: readable text, base64 where it is none, references for secrets."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.from_json(value),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.to_json),
        )

    def to_json(self) -> list[dict[str, str]]:
        return [_part_to_json(p) for p in self.parts]

    @classmethod
    def from_json(cls, parts: Sequence[dict[str, Any]]) -> Content:
        """Raises ValueError when the parts are not ones that `to_json` makes."""
        if not isinstance(parts, list):
            raise ValueError("content is a list of parts")  # noqa: TRY004 pydantic catches ValueError
        return cls(tuple(_part_from_json(p) for p in parts))


def _part_to_json(part: bytes | SecretRef) -> dict[str, str]:
    if isinstance(part, SecretRef):
        return {"secret": str(part)}
    try:
        return {"text": part.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(part).decode()}


def _part_from_json(part: dict[str, Any]) -> bytes | SecretRef:
    match part:
        case {"text": str(text)}:
            return text.encode()
        case {"base64": str(text)}:
            return base64.b64decode(text, validate=True)
        case {"secret": str(text)} if ref := SecretRef.parse(text):
            return ref
    raise ValueError("a part of the content is neither text nor base64 nor a secret's reference")
