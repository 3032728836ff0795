"""The engine of this process: it owns its name and its lock, starts the library, and takes over what others left."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from typing import Any, NoReturn, Self

from vtsconf.engine.durable.client import connected, is_made
from vtsconf.engine.durable.desk import Desk
from vtsconf.engine.durable.failure import packed
from vtsconf.engine.durable.flow import Here, enqueue, within
from vtsconf.engine.durable.library import NAME, VERSION, as_json, dbos
from vtsconf.engine.durable.owner import TICK, owner_of
from vtsconf.engine.durable.store import sentences, store_at
from vtsconf.engine.durable.work import Call, Queue

Flow = Callable[[Any], Any]
_ONLY = threading.Lock()  # the library allows one in a process
_OWN = Queue()  # a flow's own queue: little comes that way but what is taken over
_SELDOM = 4  # so it is looked at every fourth time only: looking is what an idle engine costs
_GLANCE = 1.0  # seconds between two looks at work of our own that somebody else may have ended


class Engine(Desk):
    """A context manager; one in a process.

    flows    by name, which is stored: a flow keeps its name, and its order of steps, as long as work of it is about
    queues   by name, with their limits; each flow has one of its own name, without limits unless it is named here
    poll     seconds between two looks at a queue, at a child, and (SQLite) at the words
    grace    PostgreSQL: seconds after which a lock that is gone means that its process is gone

    Raises Locked when another process is the engine of a SQLite store, VtsconfError when the store cannot be used.
    """

    def __init__(
        self,
        store_url: str,
        *,
        flows: Mapping[str, Flow],
        queues: Mapping[str, Queue] | None = None,
        poll: float = 0.2,
        grace: float = 15.0,
    ) -> None:
        self._store = store_at(store_url)
        self._flows = dict(flows)
        self._queues = dict.fromkeys(flows, _OWN) | dict(queues or {})
        self._poll = poll
        self._owner = owner_of(self._store, grace)
        self._halt = threading.Event()
        self._heir = threading.Thread(target=self._inherit, name="heir", daemon=True)
        self._started: dict[str, Callable[[Any], Any]] = {}
        self._local: dict[str, Future[Any]] = {}
        self._busy: set[object] = set()
        self._library: Any = None

    @property
    def name(self) -> str:
        """Never had by another process."""
        return self._owner.name

    def __enter__(self) -> Self:
        if not _ONLY.acquire(blocking=False):
            raise RuntimeError("this process has an engine already")
        try:
            self._store.prepare()
            self._owner.take()  # before the library starts: whoever starts believes that all work of its name is its own
            with sentences(self._store):
                self._launch()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @staticmethod
    def leave(code: int) -> NoReturn:
        """End the process now, whatever runs in it. Its work is taken up by the next engine."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
                stream.flush()
        os._exit(code)

    def submit(
        self,
        flow: str,
        work_id: str,
        argument: Any = None,
        *,
        queue: str | None = None,
        key: str = "",
        priority: int = 0,
        delay: float = 0.0,
    ) -> None:
        """Have a flow run: here and at once, or from a queue. The second time with the same id nothing happens."""
        with sentences(self._store):
            if queue is None:
                self._start(flow, work_id, as_json(argument))
            else:
                how = {"queue": queue, "key": key, "priority": priority, "delay": delay}
                enqueue(Call(flow=flow, id=work_id, argument=argument, **how))  # type: ignore[arg-type]

    def again(self, work_id: str) -> None:
        """Begin ended work anew, from its first step, under the same id; words that it has not heard are dropped.

        Children that have ended are not done again. Raises LookupError.
        """
        with sentences(self._store):
            work = self.status(work_id)
            if work is None:
                raise LookupError(work_id)
            dbos().DBOS.rewind_workflow(work_id, queue_name=work.flow)

    def result(self, work_id: str, timeout: float | None = None) -> Any:
        """What the flow returned, once it has ended; raises what it raised. Raises TimeoutError, LookupError."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            work = self.status(work_id)
            if work is None:
                raise LookupError(work_id)
            if work.state.is_final:
                return work.value()
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError(f"{work_id} has not ended")
            self._pause(work_id, left)

    # ---- inside

    def _start(self, flow: str, work_id: str, argument: Any) -> None:
        module = dbos()
        with module.SetWorkflowID(work_id):
            handle = module.DBOS.start_workflow(self._started[flow], argument)
        if future := getattr(handle, "future", None):
            self._local[work_id] = future
            future.add_done_callback(lambda _: self._local.pop(work_id, None))

    def _pause(self, work_id: str, left: float | None) -> None:
        """Until it has ended, if it runs here; else, or when it was ended from outside, only for a moment."""
        future = self._local.get(work_id)
        moment = self._poll if future is None else _GLANCE
        moment = moment if left is None else min(moment, left)
        if future is None:
            self._halt.wait(moment)
        else:
            wait([future], moment)

    def _launch(self) -> None:
        module = dbos()
        self._declare()
        for name, function in self._flows.items():
            register = module.DBOS.workflow(name=name, max_recovery_attempts=None)
            self._started[name] = register(self._body(function))
        self._library = module.DBOS(config=self._config())
        module.DBOS.listen_queues(list(self._queues))  # what others run, this engine could not
        module.DBOS.launch()
        self._api = module.DBOS
        self._adopt()
        if self._store.file is None:
            self._heir.start()

    def _config(self) -> dict[str, Any]:
        return {
            "name": NAME,
            "system_database_url": self._store.url,
            "executor_id": self.name,
            "application_version": VERSION,
            "serializer": dbos().DBOSPortableJSONSerializer(),
            "notification_listener_polling_interval_sec": self._poll
            / 4,  # SQLite; an exit waits for one such look
            "log_level": "CRITICAL",
        }

    def _declare(self) -> None:
        """The queues, before the library starts: it looks for new ones only once a second."""
        module = dbos()
        client = connected(self._store.url)
        try:
            if not is_made(client):
                module.DBOS.migrate(self._store.url)
            for name, queue in self._queues.items():
                client.register_queue(
                    name,
                    worker_concurrency=queue.each,
                    global_concurrency=queue.total,
                    partition_concurrency=queue.per_key,
                    polling_interval_sec=self._poll * (_SELDOM if queue is _OWN else 1),
                )
        finally:
            client.destroy()

    def _body(self, function: Flow) -> Callable[[Any], Any]:
        here = Here(poll=self._poll)

        def body(argument: Any) -> Any:
            with within(here), self._counted():
                try:
                    return as_json(function(argument))
                except Exception as error:  # the flow's code: whatever it raises is its end
                    raise packed(error) from error

        return body

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        ticket = object()
        self._busy.add(ticket)
        try:
            yield
        finally:
            self._busy.discard(ticket)

    def _inherit(self) -> None:
        """Until the end: take over the work of those that have ended."""
        while not self._halt.wait(max(self._poll, TICK)):
            # The library may raise anything while the database is away, or while we end: the next look will tell.
            with contextlib.suppress(Exception):
                self._adopt()

    def _adopt(self) -> None:
        """It goes back to its queue, from where anybody takes it; nothing happens when another was faster."""
        pending = dbos().DBOS.list_workflows(
            status="PENDING",
            name=list(self._flows),
            application_name=NAME,
            load_input=False,
            load_output=False,
        )
        ended = self._owner.ended({work.executor_id for work in pending})
        for work in pending:
            if work.executor_id in ended:
                # Not `resume_workflow`: that would bring back what was cancelled, or taken over, in the meantime.
                self._library._sys_db.reenqueue_for_recovery(work.workflow_id, [work.executor_id], work.name)  # noqa: SLF001

    def _end(self) -> None:
        """What still runs keeps the lock of a SQLite store, as its process goes on."""
        self._halt.set()
        if self._heir.is_alive():
            self._heir.join(_GLANCE)
        if self._started:
            dbos().DBOS.destroy(destroy_registry=True)
        self._api = None
        if not self._busy:
            self._owner.release()
        _ONLY.release()
