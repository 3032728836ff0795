"""The library is loaded when it is needed, and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HEAVY = ("dbos", "sqlalchemy", "psycopg")


def _loaded(code: str) -> list[str]:
    script = f"{code}\nimport sys; print([name for name in {_HEAVY} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return eval(said.stdout)


@pytest.mark.parametrize(
    "code",
    [
        "from vtsconf.engine import durable",
        "from vtsconf.engine.durable import Engine; Engine('postgresql://ann@db/vtsconf', flows={})",
        "from vtsconf.engine.durable import Client\nwith Client('sqlite:////nowhere/vtsconf.db'): pass",
    ],
)
def test_looking_at_the_room_loads_nothing(code: str) -> None:
    assert [] == _loaded(code)


def test_it_is_loaded_in_the_background() -> None:
    assert list(_HEAVY) == _loaded("from vtsconf.engine import durable; durable.warm().join()")
