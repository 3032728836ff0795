"""The example of a service: systemd itself is not started, but all that the unit says of vtsconf is true."""

from __future__ import annotations

import re
import shlex
from configparser import ConfigParser
from pathlib import Path

import pytest

from vtsconf.cli.main import run
from vtsconf.core.outcome import Exit
from vtsconf.engine.settings import read_settings

UNIT = Path(__file__).parents[2] / "examples/service/vtsconf-migrate.service"


@pytest.fixture
def unit():
    parsed = ConfigParser(interpolation=None, strict=True)  # a key twice is an error
    parsed.optionxform = str
    parsed.read_string(UNIT.read_text())
    return parsed


def test_it_has_the_sections_of_a_service(unit):
    assert ["Unit", "Service", "Install"] == unit.sections()


def test_what_it_starts_is_a_command_line(unit, capfd):
    program, *words = shlex.split(unit["Service"]["ExecStart"])

    assert Path(program).is_absolute()
    assert 0 == run([*words, "--help"])
    assert "--follow" in capfd.readouterr().out
    assert 64 == run([*words, "--no-such-option", "--help"])


def test_its_exit_codes_are_ours(unit):
    good = {Exit(int(code)) for code in unit["Service"]["SuccessExitStatus"].split()}

    assert {Exit.INVALID, Exit.UNREACHABLE, Exit.PARTIAL, Exit.WAITING} == good
    assert [Exit.USAGE] == [Exit(int(c)) for c in unit["Service"]["RestartPreventExitStatus"].split()]
    assert ("on-failure", "SIGTERM") == (unit["Service"]["Restart"], unit["Service"]["KillSignal"])
    told = UNIT.read_text().partition("of the service:")[2].partition("\n")[0]
    assert {int(code) for code in re.findall("[0-9]", told)} == set(good)


def test_it_may_write_where_the_store_is_and_says_how_that_folder_comes_to_be(unit):
    service = unit["Service"]
    home = Path(service["WorkingDirectory"])
    settings, _ = read_settings(home, flags={}, environ={}, home=home)
    store = Path(settings.store.removeprefix("sqlite:///"))

    assert Path(service["ReadWritePaths"]) == store.parent
    assert f"install -d -o {service['User']} -m 0700 {store.parent} " in UNIT.read_text()


def test_the_commands_of_its_comments_are_there(capfd):
    named = re.findall(r"vtsconf ((?:migrate )?[a-z]+)", UNIT.read_text())
    wanted = {"validate", "migrate status", "migrate cancel"}

    assert wanted <= set(named)
    assert {0} == {run([*words.split(), "--help"]) for words in wanted}
    assert "Usage" in capfd.readouterr().out
