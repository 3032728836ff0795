"""Lengths of time and sizes as people write them: `30s 10m 4h 7d`, `1MB 2TB`."""

from __future__ import annotations

import re
from decimal import Decimal

LONGEST = 4 * 3600  # seconds that anything may take on a server
_YEAR = 365 * 86400
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# Tape and disk vendors count in powers of ten; the binary ones are there for whoever means them.
_BYTES = {
    "": 1,
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgtp", 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgtp", 1)},
}
_AMOUNT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]*)")


def seconds(text: str | int) -> int:
    """Whole seconds of `90`, `30s`, `10m`, `4h`, `7d`, `2w`. Raises ValueError with a sentence."""
    if isinstance(text, int):
        return _not_negative(text, "a duration")
    parts = re.findall(r"([0-9]{1,9}) ?([smhdw])(?![a-z])", text)
    if parts and "".join(f"{n}{u}" for n, u in parts) == text.replace(" ", ""):
        return sum(int(number) * _SECONDS[unit] for number, unit in parts)
    if re.fullmatch(r"[0-9]{1,12}", text):
        return int(text)
    raise ValueError(f"`{text[:40]}` is not a duration: write 30s, 10m, 4h or 7d")


def wait(written: object) -> int:
    """Seconds of a time that somebody waits: `1s` to `4h`, with its unit. Raises ValueError with a sentence."""
    return _within(written, LONGEST, "30s, 10m or 4h")


def days(written: object) -> int:
    """Seconds of a time that something is kept: `1s` to `365d`, with its unit. Raises ValueError with a sentence."""
    return _within(written, _YEAR, "12h, 7d or 4w")


def _within(written: object, longest: int, such: str) -> int:
    if isinstance(written, bool) or not isinstance(written, str | int):
        raise ValueError(f"must be a duration, such as {such}")  # noqa: TRY004 a sentence for a person
    if isinstance(written, int) or written.strip().isdecimal():
        raise ValueError(f"`{str(written)[:40]}` has no unit: write {such}")
    if not 1 <= (length := seconds(written)) <= longest:
        raise ValueError(f"`{written[:40]}` is out of range: from 1s to {spelled(longest)}")
    return length


def octets(text: str | int) -> int:
    """Bytes of `512`, `1MB` (a million), `2TB`, `1MiB`. Raises ValueError with a sentence."""
    if isinstance(text, int):
        return _not_negative(text, "a size")
    match = _AMOUNT.fullmatch(text.strip())
    if match and match[2].lower() in _BYTES:
        return int(Decimal(match[1]) * _BYTES[match[2].lower()])
    raise ValueError(f"`{text[:40]}` is not a size: write 512, 10MB, 4GB or 2TB")


def spelled(length: int) -> str:
    """Seconds as a person writes them: 90 → `1m30s`, 7200 → `2h`."""
    if length == 0:
        return "0s"
    words = []
    for unit in ("d", "h", "m", "s"):
        count, length = divmod(length, _SECONDS[unit])
        words += [f"{count}{unit}"] if count else []
    return "".join(words)


def _not_negative(number: int, what: str) -> int:
    if number < 0:
        raise ValueError(f"{number} is not {what}: it is below zero")
    return number
