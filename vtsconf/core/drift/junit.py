"""Drift as JUnit XML: a suite a host, a test case an address, so that a CI server shows since when which one differs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from vtsconf.core.drift.finding import Class, Finding, FleetDrift, HostDrift, Rule

# XML 1.0 can hold no other character, not even escaped.
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHOWN = 2000  # characters of a value


def junit(fleet: FleetDrift) -> str:
    """The whole document. A host that could not be compared is an error, never a success."""
    root = ET.Element("testsuites", name="vtsconf drift")
    for host in fleet.hosts:
        root.append(_suite(host, fleet))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, 0)) for suite in root)))
    root.set("time", f"{max(0.0, fleet.ended - fleet.started):.3f}")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(host: HostDrift, fleet: FleetDrift) -> ET.Element:
    cases = list(_cases(host, fleet.rule))
    started = datetime.fromtimestamp(int(fleet.started), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    suite = ET.Element("testsuite", name=fit(host.name), timestamp=started, skipped="0", time="0")
    suite.set("tests", str(len(cases)))
    for count, word in (("failures", "failure"), ("errors", "error")):
        suite.set(count, str(sum(case.find(word) is not None for case in cases)))
    suite.extend(cases)
    return suite


def _cases(host: HostDrift, rule: Rule) -> Iterator[ET.Element]:
    """Every address that is managed or found, by name; without any, and where nothing was compared, the host itself."""
    if not host.is_compared:
        case = _case(host, "compared")
        reason = fit(host.plan.reason) or host.plan.outcome.value
        ET.SubElement(case, "error", type=host.plan.outcome.value, message=reason).text = reason
        yield case
        return
    found = {finding.address: finding for finding in host.told(rule)}
    for address in sorted({*host.addresses, *found}) or ["compared"]:
        yield _judged(_case(host, address), found.get(address), host, rule)


def _case(host: HostDrift, name: str) -> ET.Element:
    return ET.Element("testcase", classname=fit(host.name), name=fit(name), time="0")


def _judged(case: ET.Element, finding: Finding | None, host: HostDrift, rule: Rule) -> ET.Element:
    if finding is None:
        return case
    if rule.counts(finding):
        text = "\n".join((*_lines(finding), *_hints(finding, host)))
        wish = "" if finding.cls is Class.UNMANAGED else f" → {_short(finding.desired)}"
        message = f"{finding.cls}: {_short(finding.live)}{wish}"
        if finding.cls is Class.NOT_LOADED:
            message = f"{finding.cls}: {finding.reason}"
        ET.SubElement(case, "failure", type=finding.cls.value, message=fit(message)).text = fit(text)
    else:
        text = "\n".join(_lines(finding))
        ET.SubElement(case, "system-out").text = fit(f"{finding.cls}, does not count: {text}")
    return case


def _lines(finding: Finding) -> Iterator[str]:
    yield finding.reason
    if (finding.live, finding.desired) != (None, None):
        yield f"live: {_shown(finding.live)}"
        yield f"desired: {_shown(finding.desired)}"


def _hints(finding: Finding, host: HostDrift) -> Iterator[str]:
    for hint in host.hints if finding.path else ():
        if hint.path in ("", finding.path):
            when = "" if hint.at is None else f"{_moment(hint.at)} "
            yield f"hint, no fact: {when}{hint.text}"


def _moment(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):  # a server may claim any number
        return f"second {seconds}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {inner}" for key, inner in value.items())[:_SHOWN]
    return "nothing" if value is None else str(value)[:_SHOWN]


def _short(value: Any) -> str:
    first, *more = _shown(value)[:80].splitlines() or [""]
    return f"{first}…" if more else first


def fit(text: str) -> str:
    """The text with every character that XML cannot hold written as an escape."""
    return _UNFIT.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
