"""`vtsconf rollout report`: the evidence of a run."""

from __future__ import annotations

from vtsconf.cli.rolloutreport import command

__all__ = ["command"]
