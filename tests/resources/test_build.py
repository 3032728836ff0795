"""From the desired state to resources: order, owners, secrets."""

from __future__ import annotations

import pytest

from vtsconf.bma import bacula, tsm
from vtsconf.core.content import mark
from vtsconf.core.errors import Invalid
from vtsconf.core.probe import FileKind, FileSeen, Reading
from vtsconf.core.problem import errors
from vtsconf.core.resource import Keys
from vtsconf.core.secret import Secret, SecretRef
from vtsconf.core.step import Service
from vtsconf.core.wanted import WantedParameter
from vtsconf.resources import desired
from vtsconf.resources.build import resources_of, secrets_of, services_of, with_keys

REF = SecretRef("env", "X")
SYS = "/opt/tivoli/tsm/client/ba/bin/dsm.sys"
TSM = tsm.Settings.model_validate({"servers": {"TSM1": {"tcpserveraddress": "a"}}})
VTS = desired.Vts(
    config_file="/c",
    files={"/f": desired.File(content="x"), "/g": desired.File(template="g.j2")},
    bma={"tsm": TSM},
    commands={"k": desired.Command(check=("a",), run=("b",))},
    services={"ems": desired.Service(restart=("r",))},
)
WANTED = (WantedParameter(name="hsm_x", address="hsm/hsm_x", text=REF),)


def built(vts, wanted=WANTED):
    return resources_of(
        vts, {"site": "A"}, wanted, Keys(), lambda name, variables: f"{name} {variables['site']} {mark(REF)}"
    )


def test_order():
    assert [r.kind for r in built(VTS)] == [
        "files",
        "files",
        "tsm",
        "tsm",
        "parameters",
        "commands",
        "services",
    ]


def test_nothing_wanted_is_nothing_to_read():
    assert built(desired.Vts(config_file="/c"), ()) == ()


def test_services():
    assert {"ems": Service(name="ems", restart=("r",))} == services_of(VTS)


def test_secrets_are_collected_and_handed_out():
    resources = built(VTS)
    keys = Keys(secrets={REF: Secret(b"geheim")})

    assert secrets_of(resources) == (REF,)
    states = [r.desired() for r in with_keys(resources, keys)]
    assert Secret(b"geheim") == states[4]["hsm/hsm_x"]
    assert Secret(b"g.j2 A geheim") == states[1]["files//g"]["content"]


@pytest.mark.parametrize(
    ("vts", "owners"),
    [
        (
            desired.Vts(config_file="/c", files={"/c": desired.File(content="x")}),
            ("vts.config_file", "vts.files./c"),
        ),
        (
            desired.Vts(files={SYS: desired.File(content="x")}, bma={"tsm": TSM}),
            (f"vts.files.{SYS}", "vts.bma.tsm"),
        ),
    ],
)
def test_one_path_has_one_owner(vts, owners):
    with pytest.raises(Invalid) as caught:
        built(vts, ())

    assert [f"{p.what}" for p in caught.value.problems] == [
        f"{vts.config_file or SYS} is managed twice, by {owners[0]} and by {owners[1]}"
    ]


def test_parameters_need_a_file():
    with pytest.raises(Invalid, match=r"vts\.config_file is not set"):
        built(desired.Vts())


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"content": "x"}, "0644"),
        ({"content": "secret://env/X"}, "0600"),
        ({"content": "secret://env/X", "mode": "0640"}, "0640"),
    ],
)
def test_a_file_with_a_secret_is_private_unless_someone_says_otherwise(written, expected):
    (file,) = built(desired.Vts(files={"/f": desired.File(**written)}), ())

    assert expected == file.mode


@pytest.mark.parametrize(
    ("secret", "expected"), [(b'a"b', ["value"]), (b"x" * 128, ["value"]), (b"fine", [])]
)
def test_a_secret_that_would_break_out_of_its_quotes_is_refused(secret, expected):
    client = bacula.Settings.model_validate(
        {
            "name": "vts1-fd",
            "working_directory": "/w",
            "pid_directory": "/p",
            "directors": {"d": {"password": str(REF)}},
        }
    )
    resources = built(desired.Vts(bma={"bacula": client}), ())
    (file,) = with_keys(resources, Keys(secrets={REF: Secret(secret)}))
    reading = Reading(files={client.config: FileSeen(kind=FileKind.ABSENT)})

    found = errors(file.problems(reading))

    assert expected == [p.code for p in found]
    assert secret.decode() not in repr(found)
