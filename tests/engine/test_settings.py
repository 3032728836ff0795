from __future__ import annotations

import pytest

from vtsconf.core.errors import Invalid
from vtsconf.engine.settings import read_settings


def read(root, flags=None, environ=None):
    return read_settings(root, flags=flags or {}, environ=environ or {}, home=root / "home")


def write_user(root, text):
    path = root / "home" / ".config" / "vtsconf" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_defaults(tmp_path):
    settings, _ = read(tmp_path)

    assert (settings.parallel, settings.color, settings.plans) == (50, "auto", ".vtsconf/plans")
    assert settings.store == f"sqlite:///{tmp_path}/.vtsconf/vtsconf.db"
    assert set(settings.origins.values()) == {"default"}


def test_the_nearest_source_wins_and_is_remembered(tmp_path):
    user = write_user(tmp_path, "parallel = 1\ncolor = 'never'\nplans = 'u'\nconnect_timeout = '1m'\n")
    project = tmp_path / "vtsconf.toml"
    project.write_text("parallel = 2\ncolor = 'always'\nplans = 'p'\n")
    settings, won = read(
        tmp_path, {"parallel": 4, "color": None}, {"VTSCONF_PARALLEL": "3", "VTSCONF_COLOR": "auto"}
    )

    assert {name: (s.value, s.origin) for name, s in won.items() if s.origin != "default"} == {
        "parallel": (4, "--parallel"),
        "color": ("auto", "VTSCONF_COLOR"),
        "plans": ("p", str(project)),
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

    assert [(p.place.line if p.place else None, p.what) for p in raised.value.problems] == [
        (2, "`paralel` is no setting"),
        (3, "`parallel` must be a whole number from 1 to 500"),
        (4, "`confirm_within` `soon` is not a duration: write 30s, 10m, 4h or 7d"),
        (None, "`color` in VTSCONF_COLOR must be auto, always or never"),
    ]
    assert raised.value.problems[0].remedy == "did you mean `parallel`?"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"parallel = ", "not TOML"),
        (b"\xff", "not TOML"),
        (b"parallel = 1\nparallel = 2\n", "not TOML"),
        (b"[parallel]\nx = 1\n", "`parallel` must be"),
        (b"store = 3\n", "`store` must be text"),
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
