from __future__ import annotations

import pytest

from vtsconf.core.duration import LONGEST
from vtsconf.core.errors import Invalid
from vtsconf.engine.settings import read_settings, redacted


def read(root, flags=None, environ=None):
    return read_settings(root, flags=flags or {}, environ=environ or {}, home=root / "home")


def problems_of(root, flags=None):
    with pytest.raises(Invalid) as raised:
        read(root, flags)
    return raised.value.problems


def write_user(root, text):
    path = root / "home" / ".config" / "vtsconf" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_defaults(tmp_path):
    settings, _ = read(tmp_path)

    assert (settings.parallel, settings.color, settings.confirm_within) == (50, "auto", None)
    assert settings.store == f"sqlite:///{tmp_path}/.vtsconf/vtsconf.db"
    assert set(settings.origins.values()) == {"default"}


def test_the_nearest_source_wins_and_is_remembered(tmp_path):
    user = write_user(
        tmp_path, "parallel = 1\ncolor = 'never'\ncommand_timeout = '1h'\nconnect_timeout = '1m'\n"
    )
    project = tmp_path / "vtsconf.toml"
    project.write_text("parallel = 2\ncolor = 'always'\ncommand_timeout = '2h'\n")
    settings, won = read(
        tmp_path, {"parallel": 4, "color": None}, {"VTSCONF_PARALLEL": "3", "VTSCONF_COLOR": "auto"}
    )

    assert {name: (s.value, s.origin) for name, s in won.items() if s.origin != "default"} == {
        "parallel": (4, "--parallel"),
        "color": ("auto", "VTSCONF_COLOR"),
        "command_timeout": (7200, str(project)),
        "connect_timeout": (60, str(user)),
    }
    assert settings.origins["parallel"] == "--parallel"


def test_no_color_is_honoured_unless_a_colour_is_asked_for(tmp_path):
    assert read(tmp_path, environ={"NO_COLOR": "1"})[0].color == "never"
    assert read(tmp_path, environ={"NO_COLOR": "1", "VTSCONF_COLOR": "always"})[0].color == "always"
    assert read(tmp_path, {"color": "always"}, {"NO_COLOR": "1"})[0].color == "always"


def test_every_problem_is_told_at_once_with_its_line(tmp_path):
    (tmp_path / "vtsconf.toml").write_text("# ours\nparalel = 3\nparallel = 0\nconfirm_within = 'soon'\n")
    with pytest.raises(Invalid) as raised:
        read(tmp_path, environ={"VTSCONF_COLOR": "blue"})

    file = str(tmp_path / "vtsconf.toml")
    assert [(p.place.file, p.place.line, p.what, p.remedy) for p in raised.value.problems] == [
        (file, 2, "`paralel` is no setting", "did you mean `parallel`?"),
        (file, 3, "`parallel` must be a whole number from 1 to 500", "write a whole number from 1 to 500"),
        (
            file,
            4,
            "`confirm_within`: `soon` is not a duration: write 30s, 10m, 4h or 7d",
            "write 30s, 10m or 4h",
        ),
        ("VTSCONF_COLOR", 1, "`color` must be auto, always or never", "write auto, always or never"),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"parallel = ", "not TOML"),
        (b"\xff", "not TOML"),
        (b"parallel = 1\nparallel = 2\n", "not TOML"),
        (b"[parallel]\nx = 1\n", "`parallel` must be"),
        (b"store = 3\n", "`store` is not a store"),
        (b"parallel = true\n", "`parallel` must be"),
        (b"x = " + b"[" * 5000, "not TOML"),
    ],
)
def test_a_broken_file_of_settings(tmp_path, text, what):
    (tmp_path / "vtsconf.toml").write_bytes(text)
    with pytest.raises(Invalid) as raised:
        read(tmp_path)

    assert what in raised.value.problems[0].what
    assert raised.value.problems[0].place.file == str(tmp_path / "vtsconf.toml")


@pytest.mark.parametrize("written", ["0s", "5", "99999d", "5h", "-1s", "soon", ""])
def test_a_time_that_no_server_would_wait_is_told_at_once_wherever_it_is_written(tmp_path, written):
    flag = problems_of(tmp_path, {"confirm_within": written})
    (tmp_path / "vtsconf.toml").write_text(f"confirm_within = '{written}'\ncommand_timeout = '{written}'\n")
    file = problems_of(tmp_path)

    assert [("--confirm-within", "write 30s, 10m or 4h")] == [(p.place.file, p.remedy) for p in flag]
    assert [flag[0].what, flag[0].what.replace("confirm_within", "command_timeout")] == [p.what for p in file]


def test_the_longest_time_is_the_servers_own(tmp_path):
    assert read(tmp_path, {"confirm_within": "4h"})[0].confirm_within == LONGEST


def test_there_is_no_setting_that_does_nothing(tmp_path):
    problems = problems_of(tmp_path, {"plans": "x"})

    assert ["`plans` is no setting"] == [p.what for p in problems]


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("postgresql://u:Pw123@h/db", "postgresql://u:***@h/db"),
        ("postgresql+psycopg://u:P@w/1@h:5432/db", "postgresql+psycopg://u:***@h:5432/db"),
        ("postgresql://h/db?user=u&password=Pw123&x=1", "postgresql://h/db?user=u&password=***&x=1"),
        ("postgresql://u@h/db", "postgresql://u@h/db"),
        ("sqlite:////srv/a:b/vtsconf.db", "sqlite:////srv/a:b/vtsconf.db"),
    ],
)
def test_a_password_in_the_store_is_not_shown(store, shown):
    assert redacted(store) == shown


def test_a_store_that_is_not_known_is_refused_without_repeating_it(tmp_path):
    problems = problems_of(tmp_path, {"store": "mysql://u:Pw123@h/db"})

    assert ["`store` is not a store that is known"] == [p.what for p in problems]
    assert "Pw123" not in repr(problems)


@pytest.mark.parametrize(("written", "length"), [("30d", 30 * 86400), ("52w", 364 * 86400), ("1h", 3600)])
def test_what_a_server_keeps_is_kept_for_days(tmp_path, written, length):
    (tmp_path / "vtsconf.toml").write_text(f'keep_runs = "{written}"\n')
    settings, _ = read_settings(tmp_path, flags={}, environ={}, home=tmp_path)

    assert length == settings.keep_runs


@pytest.mark.parametrize("written", ["366d", "0s", "7"])
def test_nothing_is_kept_for_longer_than_a_year(tmp_path, written):
    with pytest.raises(Invalid) as caught:
        read_settings(tmp_path, flags={}, environ={"VTSCONF_KEEP_RUNS": written}, home=tmp_path)

    assert "write 12h, 7d or 4w" == caught.value.problems[0].remedy
