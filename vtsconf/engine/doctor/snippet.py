"""The YAML that a server's documents still lack, ready to be put into host_vars; what is not known stands as a comment."""

from __future__ import annotations

import json
from collections.abc import Iterator

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.core.printable import printable
from vtsconf.engine.doctor.whereabouts import Whereabouts
from vtsconf.engine.facts import Facts, Look
from vtsconf.engine.outline import Outline


def snippet(outline: Outline, seen: Look, facts: Facts, places: Whereabouts) -> str:
    """The text, "" when nothing is lacking. It is valid YAML as it stands."""
    below = [*_release(outline), *_config_file(facts, places), *_services(outline)]
    lines = [*_pin(outline.target, seen), *(["vts:", *(f"  {line}" for line in below)] if below else [])]
    return "".join(f"{line}\n" for line in lines)


def snippet_unreached(target: Target, error: Unreachable) -> str:
    """What would let the connection come about, as far as the inventory can."""
    if error.stage == "algorithms" and not target.legacy and "vts_ssh_legacy" in error.remedy:
        return (
            "# The server knows outdated SSH algorithms only. This allows them, for this host alone; whoever\n"
            "# stands between may then read or change the connection more easily.\n"
            "vts_ssh_legacy: true\n"
        )
    return ""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _pin(target: Target, seen: Look) -> Iterator[str]:
    if target.host_key or not seen.host_key or not seen.ssh:
        return
    yield f"# Pins the host key ({seen.ssh.fingerprint}), which a known_hosts file vouches for;"
    yield "# then that file is not asked any more."
    yield f"vts_ssh_host_key: {_quoted(seen.host_key)}"


def _release(outline: Outline) -> Iterator[str]:
    if not outline.vts.release:
        yield '# release: "8.3"  # the one that its web pages show; checks then know which parameters it has'


def _config_file(facts: Facts, places: Whereabouts) -> Iterator[str]:
    if facts.config_file and facts.config_file.kind != "absent":
        return
    yield "# Which of these files the server reads is not known; take the right one and uncomment its line."
    for candidate in places.candidates:
        yield f"# config_file: {_quoted(printable(candidate.path))}  # {candidate.lines} ems_ lines"
    if not places.candidates:
        yield "# config_file: /…  # none was found"


def _services(outline: Outline) -> Iterator[str]:
    missing = outline.lacking or (() if outline.vts.services else ("ems",))
    if not missing:
        return
    yield "# How these services are restarted is in no manual that we know: put in your own commands."
    yield "# services:"
    for name in missing:
        yield f"#   {_quoted(name)}: {{restart: [/…, restart], status: [/…, status]}}"
