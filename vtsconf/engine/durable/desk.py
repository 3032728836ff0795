"""What can be asked and said about work, from the engine's own process and from any other."""

from __future__ import annotations

import contextlib
from typing import Any

from vtsconf.engine.durable.failure import unpacked
from vtsconf.engine.durable.library import NAME, as_json, dbos
from vtsconf.engine.durable.store import Store, sentences
from vtsconf.engine.durable.work import State, Work

_STATES = {
    "DELAYED": State.WAITING,
    "ENQUEUED": State.WAITING,
    "PENDING": State.RUNNING,
    "SUCCESS": State.DONE,
    "CANCELLED": State.CANCELLED,
}
_UNFINISHED = [name for name, state in _STATES.items() if not state.is_final]
FINAL = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


class Desk:
    """`_api` is the library's, or a client's of it; both know the same words. None: there is no store yet."""

    _store: Store
    _api: Any = None

    def status(self, work_id: str) -> Work | None:
        """None: nobody has submitted it."""
        found = self._list(workflow_ids=[work_id])
        return found[0] if found else None

    def running(self) -> list[Work]:
        """Everything that has not ended, oldest first; without results."""
        return self._list(status=_UNFINISHED, load_output=False)

    def signal(self, work_id: str, message: Any = None) -> None:
        """Give a flow a word, which is kept until it waits for one. Raises LookupError."""
        if self._api is None:
            raise LookupError(work_id)
        with sentences(self._store):
            try:
                self._api.send(work_id, as_json(message))
            except dbos().error.DBOSNonExistentWorkflowError:
                raise LookupError(work_id) from None

    def cancel(self, work_id: str) -> None:
        """Nothing more of it is begun, nor of its children; a step that runs comes to its end.

        It does not matter whether it has ended already, or is not known.
        """
        if self._api is None:
            return
        with sentences(self._store):
            self._api.cancel_workflow(work_id, cancel_children=True)
        with contextlib.suppress(LookupError):
            self.signal(work_id)  # it may be waiting: only then does it look up

    def forget(self, work_id: str) -> None:
        """Delete what is stored of it and of its children; nothing else ever does. The id may then be submitted anew.

        For work that has ended: what runs would be begun again by whoever submits it.
        """
        if self._api is not None:
            with sentences(self._store):
                self._api.delete_workflow(work_id, delete_children=True)

    def _list(self, **wanted: Any) -> list[Work]:
        if self._api is None:
            return []
        with sentences(self._store):
            found = self._api.list_workflows(**wanted, load_input=False, application_name=NAME)
            return [work_of(status) for status in found]


def work_of(status: Any) -> Work:
    """The library's record as ours."""
    return Work(
        id=status.workflow_id,
        flow=status.name,
        state=_STATES.get(status.status, State.FAILED),
        queue=status.queue_name or "",
        by=status.executor_id or "",
        since=(status.created_at or 0) / 1000,
        result=status.output,
        failure=unpacked(status.error) if isinstance(status.error, Exception) else None,
    )
