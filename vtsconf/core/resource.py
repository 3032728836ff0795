"""What every manageable thing answers. Pure: a resource says what to read and do, and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vtsconf.core.change import Change, State
from vtsconf.core.probe import Probe, Reading
from vtsconf.core.problem import Problem
from vtsconf.core.secret import FingerprintKey, Secret, SecretRef, Secrets
from vtsconf.core.step import Step


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What a resource needs to tell secrets apart without showing them."""

    secrets: Secrets = field(default_factory=dict[SecretRef, Secret])
    fingerprints: FingerprintKey = field(default_factory=lambda: FingerprintKey(Secret(b"")))


class Resource(Protocol):
    """A thing with one or more addresses on one host.

    The life of a change: `probes` are read in one round trip, `observe` says what that means,
    `desired` what should be; the differences go to `steps`, whose result is recorded in the plan.
    """

    @property
    def kind(self) -> str:
        """One word: "parameters", "files", "commands", "tsm", …"""
        ...

    def probes(self) -> Sequence[Probe]:
        """What must be read to judge this resource."""
        ...

    def observe(self, reading: Reading) -> State:
        """The live state: only addresses this resource answers for; values comparable with `desired`."""
        ...

    def desired(self) -> State:
        """The wished state. An address that is owned, and absent here, is to be deleted."""
        ...

    def problems(self, reading: Reading) -> Sequence[Problem]:
        """What stands in the way on the live server (an error stops this host), or is worth knowing."""
        ...

    def steps(self, changes: Sequence[Change], reading: Reading) -> Sequence[Step]:
        """How to carry out exactly these changes, given what was read. No changes: no steps."""
        ...
