"""Work that survives the process: flows of steps, written down as they go, over a library that only this room knows.

    def job(argument):                                   # a flow: plain JSON in, plain JSON out
        found = step("look", look, argument["host"])     # done once; after a crash its answer is remembered
        word = wait(3600)                                # a word that somebody sends, or None when the time is over
        ended = gather(Call(flow="one", id=f"{…}/{host}", argument=…, queue="hosts") for host in found)
        return {"ended": [work.state for work in ended]}

    durable.warm()                                       # early: the library is loaded in the background (0.4 s)
    with Engine(store_url, flows={"job": job, "one": one}, queues={"hosts": Queue(each=50)}) as engine:
        engine.submit("job", "job-17", {"host": "vts1"}) # starts here, at once; with queue=… wherever there is room
        engine.result("job-17")                          # waits; raises what the flow raised
        engine.leave(130)                                # out at once; the work stays and goes on next time

    with Client(store_url) as client:                    # from another process, beside a running engine or none
        client.status("job-17"), client.running(), client.signal("job-17", "go"), client.cancel("job-17")

What is promised, and tested by killing it (tests/real/test_durable.py):

* An id is submitted once: the second time nothing happens. `again(id)` begins ended work anew, from its first step.
* A step is done at least once: one that a crash cut off is done again, so every step asks first what is done already.
  One that has ended is never done again, and its answer is the same for ever, an error too.
* Nothing is done by two processes at the same time: in SQLite one process is the engine (`Locked` names it); in PostgreSQL each
  holds a lock as long as it lives, and its work is taken over when that lock is gone: at once when its process is known to
  have ended, else after `grace` seconds (a restart of the database takes everybody's lock away for a moment).
* A word is kept until the flow waits for it. Words of the same second may come in any order in SQLite.
* The flow's own code must be repeatable: whatever it decides follows from its argument, its steps' answers and its words.

Flows that still run or wait keep their threads: leave with `leave(code)`, not by falling off the end of the `with`.
"""

from __future__ import annotations

from vtsconf.engine.durable.client import Client
from vtsconf.engine.durable.engine import Engine
from vtsconf.engine.durable.flow import gather, is_cancelled, spawn, step, wait
from vtsconf.engine.durable.library import warm
from vtsconf.engine.durable.owner import shown
from vtsconf.engine.durable.work import Call, Queue, State, Work

__all__ = [
    "Call",
    "Client",
    "Engine",
    "Queue",
    "State",
    "Work",
    "gather",
    "is_cancelled",
    "shown",
    "spawn",
    "step",
    "wait",
    "warm",
]
