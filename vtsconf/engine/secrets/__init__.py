"""Finding the values behind `secret://PROVIDER/REFERENCE`. A provider is one small file here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vtsconf.core.errors import Invalid
from vtsconf.core.problem import Problem, suggestion
from vtsconf.core.secret import Secret, SecretRef
from vtsconf.engine.secrets import cmd, env, file, keyring, sops
from vtsconf.engine.secrets.provider import Find, NotFound

PROVIDERS: dict[str, Find] = {
    "env": env.find,
    "file": file.find,
    "cmd": cmd.find,
    "keyring": keyring.find,
    "sops": sops.find,
}


def resolve(uses: Mapping[SecretRef, Sequence[str]], project_root: Path) -> dict[SecretRef, Secret]:
    """The value of every reference. `uses` says for each where it is used ("vts1: bma/tsm/password").

    Raises Invalid with one problem for each that has none.
    """
    found: dict[SecretRef, Secret] = {}
    problems = []
    for ref, places in uses.items():
        try:
            found[ref] = _one(ref, project_root)
        except NotFound as error:
            problems.append(_problem(ref, places, error))
    if problems:
        raise Invalid(problems)
    return found


def _one(ref: SecretRef, project_root: Path) -> Secret:
    find = PROVIDERS.get(ref.provider)
    if find is None:
        hint = suggestion(ref.provider, PROVIDERS) or f"there are: {', '.join(PROVIDERS)}"
        raise NotFound(f"there is no provider `{ref.provider}`", remedy=hint)
    value = find(ref.reference, project_root)
    # Files and commands end with a line end that nobody means.
    value = value.removesuffix(b"\n").removesuffix(b"\r")
    if not value:
        raise NotFound(
            "it is empty", remedy="an empty password is never meant: set it, or remove the reference"
        )
    return Secret(value)


def _problem(ref: SecretRef, places: Sequence[str], error: NotFound) -> Problem:
    used = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
    return Problem(
        what=f"the secret `{ref}` cannot be had: {error}",
        why=f"used by {used}" if used else "",
        remedy=error.remedy,
        code="secret",
    )
