"""An error that is stored and comes back as the same sentence, on another machine, after an upgrade."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vtsconf.core import errors
from vtsconf.core.errors import VtsconfError, bug
from vtsconf.engine.durable.library import dbos

_KNOWN = {
    kind.__name__: kind
    for kind in (errors.Refused, errors.Unreachable, errors.Failed, errors.Stale, errors.Locked, errors.Usage)
}
_OTHER_STEPS = "its steps do not fit what is written down of it: it was begun by another version of vtsconf"


def to_json(error: VtsconfError) -> dict[str, Any]:
    return {"kind": type(error).__name__, "message": str(error), "remedy": error.remedy}


def from_json(document: Mapping[str, Any]) -> VtsconfError:
    """A kind that is not known (any more) becomes a plain VtsconfError."""
    kind = _KNOWN.get(str(document.get("kind")), VtsconfError)
    return kind(str(document.get("message") or ""), remedy=str(document.get("remedy") or ""))


def packed(error: Exception) -> Exception:
    """As the library stores it. An error that nobody foresaw keeps its text to itself."""
    module = dbos()
    is_packed: bool = isinstance(error, module.PortableWorkflowError)
    if is_packed:
        return error
    told = to_json(_sentence(error))
    portable: Exception = module.PortableWorkflowError(told["message"], told["kind"], None, told)
    return portable


def unpacked(error: Exception) -> VtsconfError:
    """As it was raised."""
    told = getattr(error, "data", None)
    return from_json(told if isinstance(told, dict) else {"message": str(error)})


def _sentence(error: Exception) -> VtsconfError:
    if isinstance(error, VtsconfError):
        return error
    unfit = (dbos().error.DBOSUnexpectedStepError, dbos().error.DBOSStepNondeterminismError)
    if isinstance(error, unfit):
        return errors.Refused(
            _OTHER_STEPS, remedy="begin it again: every step asks first what is done already"
        )
    return VtsconfError(bug(error))
