"""Drift as Prometheus text, for node_exporter's textfile collector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from vtsconf.core.drift.finding import FleetDrift, Verdict

Sample = tuple[Mapping[str, str], float]


def prometheus(fleet: FleetDrift) -> str:
    """One gauge a line. A host that was not compared has no findings, not zero of them: `vtsconf_drift_compared` is 0."""
    return "".join(f"{line}\n" for line in _lines(fleet))


def _lines(fleet: FleetDrift) -> Iterator[str]:
    yield from _gauge("findings", "Differences between a server and its documents.", _findings(fleet))
    yield from _gauge(
        "compared",
        "1: the server was compared; 0: nobody knows whether it differs.",
        (({"host": host.name}, int(host.is_compared)) for host in fleet.hosts),
    )
    yield from _gauge(
        "differs",
        "1: something counts that is not as the documents say; only of servers that were compared.",
        (
            ({"host": host.name}, int(host.verdict(fleet.rule) is Verdict.DIFFERS))
            for host in fleet.hosts
            if host.is_compared
        ),
    )
    yield from _gauge(
        "hosts",
        "Servers by how the comparison ended.",
        (({"outcome": outcome}, count) for outcome, count in fleet.outcomes.items()),
    )
    yield from _gauge("exit_code", "What `vtsconf drift` exited with.", [({}, int(fleet.exit))])
    yield from _gauge(
        "last_run_timestamp_seconds", "When the comparison ended.", [({}, round(fleet.ended, 3))]
    )
    seconds = round(max(0.0, fleet.ended - fleet.started), 3)
    yield from _gauge("duration_seconds", "How long the comparison took.", [({}, seconds)])


def _findings(fleet: FleetDrift) -> Iterator[Sample]:
    for host in fleet.hosts:
        counts = Counter(finding.cls for finding in host.findings)
        for cls in fleet.rule.classes if host.is_compared else ():
            yield {"host": host.name, "class": cls.value}, counts[cls]


def _gauge(name: str, about: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP vtsconf_drift_{name} {about}"
    yield f"# TYPE vtsconf_drift_{name} gauge"
    for labels, value in samples:
        pairs = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
        yield f"vtsconf_drift_{name}{{{pairs}}} {value}" if pairs else f"vtsconf_drift_{name} {value}"


def escaped(text: str) -> str:
    """A label's value: of all characters only three are not as they are; half characters are no UTF-8."""
    plain = text.encode(errors="backslashreplace").decode()
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
