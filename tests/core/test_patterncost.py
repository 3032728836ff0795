"""Patterns that could take very long are refused, and the others are not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from vtsconf.core.patterncost import too_slow
from vtsconf.resources.policies import Rule


@pytest.mark.parametrize(
    "pattern",
    [
        r"MOUNT (?P<cartridge>\w+)",
        r"MOUNT .*",
        r"\$ZSVR: +\d+ +MOUNT +(?P<cartridge>\w+).*NO RING",
        r".*MOUNT (\S+) .*RING.*",
        r"^.*a.*b.*c",
        r"\A.*a.*b.*c",
        r"(?:MOUNT|DISMOUNT) (\w+)",
        r"(?:REEL \d+ )?(?:DENSITY \d+ )?(?:ON (\S+) )?NO RING",
        r"(\d{1,3}\.){3}\d{1,3}",
        r"(a|b)*c",
        r"(?:ab)+c",
        r"\d{4}-\d{2}",
        r"a*+a*+a*+b",
        r"(?>a*)b",
        r"[^|]*\|[^|]*\|[^|]*\|x",
        r"(?i)mount",
        r"(?=MOUNT)\w+ x",
        r"\bMOUNT\b$",
        "",
        "x" * 200,
    ],
)
def test_quick(pattern):
    assert "" == too_slow(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"(a*)*b",
        r"(?:a|ab)*c",
        r"(\w+\s?)*$",
        r"(.*)(.*)(.*)x",
        r".*a.*b.*c",
        r"\w*a\w*b\w*a\w* ",
        r"(?i)x*X*x*X*y",
        r".{1,200}.{1,200}.{1,200}x",
        r"((a{0,50}){50}){50}",
        r"(a*)\1b",
        r"(a)?(?(1)b|c)",
        r"(?=(a+))+",
        "a?" * 20 + "b",
        r"(?:x ?)?.*.*(a){2,}Xa",
        r".*a.*b\w+ ",
        "b" * 6000,
        "(" * 3000 + ")" * 3000,
    ],
)
def test_slow(pattern):
    assert too_slow(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(", "a{99999999999}", "(" * 3000 + ")" * 3000, ""])
def test_a_document_with_such_a_pattern_is_refused(pattern):
    with pytest.raises(ValidationError):
        Rule.model_validate({"match": pattern, "action": "notify"})
