"""Sizes as Bacula's catalogue writes them. Pure."""

from __future__ import annotations

_DIGITS = {
    digit: value
    for value, digit in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_FIELDS = 16
_SIZE = 7


def size(lstat: str) -> int | None:
    """Bytes of the file, from sixteen numbers in base 64, the most significant digit first; None if it is none.

    Found with Bacula 9.6.7: "BMS0A" is 20,000,000.
    """
    fields = lstat.split()
    return _number(fields[_SIZE]) if len(fields) >= _FIELDS else None


def _number(digits: str) -> int | None:
    value = 0
    if not 0 < len(digits) <= 11:  # 66 bits hold every size there is
        return None
    for digit in digits:
        if digit not in _DIGITS:
            return None
        value = value * 64 + _DIGITS[digit]
    return value
