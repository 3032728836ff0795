"""What a flow may do: steps, waiting for a word, and having others do things."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from vtsconf.engine.durable.desk import FINAL, work_of
from vtsconf.engine.durable.failure import packed, unpacked
from vtsconf.engine.durable.library import NAME, VERSION, as_json, dbos
from vtsconf.engine.durable.work import Call, Work

_CHUNK = 500  # ids in one question


@dataclass(frozen=True, kw_only=True)
class Here:
    """The engine that runs this flow. `poll`: seconds."""

    poll: float


_here: ContextVar[Here] = ContextVar("here")


@contextmanager
def within(here: Here) -> Iterator[None]:
    """What happens inside is a flow."""
    token = _here.set(here)
    try:
        yield
    finally:
        _here.reset(token)


def step(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call it and write its answer (JSON) down; when the flow is run again, the answer is read instead.

    Raises what the function raised, as a VtsconfError; that is remembered too.
    """
    module = dbos()

    def do() -> Any:
        try:
            return as_json(function(*arguments))
        except Exception as error:  # the caller's code: whatever it raises is its answer
            raise packed(error) from error

    try:
        return module.DBOS.run_step({"name": name}, do)
    except module.PortableWorkflowError as error:
        raise unpacked(error) from error


def wait(timeout: float) -> Any:
    """The next word for this flow, or None after `timeout` seconds, counted from when it first began to wait."""
    return dbos().DBOS.recv(timeout_seconds=timeout)


def spawn(call: Call) -> None:
    """Have it run; nobody waits for it."""
    enqueue(call)


def gather(calls: Iterable[Call]) -> list[Work]:
    """Have them all run and wait until the last has ended, however it ended. In the order of the calls."""
    ids = []
    for call in calls:
        enqueue(call)
        ids.append(call.id)
    poll = _here.get().poll
    ended = step("gather", lambda: [work.to_json() for work in _all_ended(ids, poll)])
    return [Work.from_json(document) for document in ended]


def is_cancelled() -> bool:
    """Somebody has cancelled this flow: asked in a long step, which may then end early."""
    module = dbos()
    status = module.DBOS.get_workflow_status(module.DBOS.workflow_id)
    return bool(status and status.status == "CANCELLED")


def enqueue(call: Call) -> None:
    """Write it down for whoever has room; the second time nothing happens."""
    options = {
        "workflow_name": call.flow,
        "queue_name": call.queue or call.flow,
        "workflow_id": call.id,
        "app_version": VERSION,
        "application_name": NAME,
        "priority": call.priority or None,
        "queue_partition_key": call.key or None,
        "delay_seconds": call.delay or None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    dbos().DBOS.enqueue_workflow_with_options(given, as_json(call.argument))


def _all_ended(ids: Sequence[str], poll: float) -> list[Work]:
    """Asks the store, rarely where they are many. Ends early when this flow itself was cancelled."""
    ended: dict[str, Work] = {}
    while left := [one for one in ids if one not in ended]:
        for start in range(0, len(left), _CHUNK):
            ended |= {work.id: work for work in _look(left[start : start + _CHUNK]) if work.state.is_final}
        if len(ended) < len(set(ids)):
            _leave_if_cancelled()
            time.sleep(poll * (1 + len(left) / _CHUNK))
    return [ended[one] for one in ids]


def _look(ids: list[str]) -> list[Work]:
    found = dbos().DBOS.list_workflows(workflow_ids=ids, load_input=False, status=FINAL)
    return [work_of(status) for status in found]


def _leave_if_cancelled() -> None:
    if is_cancelled():
        module = dbos()
        raise module.error.DBOSWorkflowCancelledError(f"{module.DBOS.workflow_id} was cancelled")
