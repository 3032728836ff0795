"""The demo leaves nothing behind when it is interrupted, and notices what is not as it must be. (CI runs it whole.)"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples/demo.py"


def test_an_interrupted_demo_leaves_nothing(tmp_path):
    demo = _demo(tmp_path)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("*/lab/.lab/daemon.json")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(demo.pid, signal.SIGINT)
    said = demo.communicate(timeout=60)[0].decode()

    assert demo.returncode == 130
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_surprise_ends_the_demo(tmp_path):
    """A step that ends with another exit code than promised is noticed."""
    broken = DEMO.read_text().replace('vtsconf("drift", at=lab, exits=2)', 'vtsconf("drift", at=lab)')
    (script := tmp_path / "demo.py").write_text(broken)
    (folder := tmp_path / "tmp").mkdir()
    demo = _demo(folder, script)
    said = demo.communicate(timeout=120)[0].decode()

    assert broken != DEMO.read_text()
    assert demo.returncode == 1
    assert "`vtsconf drift` ended with 2, not 0" in said
    assert list(folder.iterdir()) == []


def _demo(folder, script=DEMO):
    return subprocess.Popen(
        (sys.executable, script),
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
