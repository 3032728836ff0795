"""What a report leaves out although nobody called it a secret, and what it must not leave out."""

from __future__ import annotations

import time

import pytest

from vtsconf.core.report.redaction import HIDDEN, output, sentence, value


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("login failed: password=hunter2, user root", f"login failed: password={HIDDEN}, user root"),
        ("Token: abc.def", f"Token: {HIDDEN}"),
        ('secret = "two words" and more', f"secret = {HIDDEN} and more"),
        ("TSM_PASSWORD='x y'; next", f"TSM_PASSWORD={HIDDEN}; next"),
        ("a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", f"a {HIDDEN} b"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", HIDDEN),
    ],
)
def test_what_follows_the_name_of_a_secret_is_left_out(said, shown):
    assert shown == sentence(said)


@pytest.mark.parametrize(
    "said",
    [
        "a secret of /etc/x is not the one that the plan was made with (secret://env/PASSWORD)",
        "password=secret://env/TSM_PASSWORD",
        "exit 3: ems is not running",
        "password authentication failed",
        "gate services/ems after wave 2 on vts04: exit 1",
        "keyed:1c2d3e4f5a6b",
        "",
    ],
)
def test_other_sentences_stay_as_they_are(said):
    assert said == sentence(said)


def test_lines_of_an_output_are_left_out_whole():
    assert f"a\n{HIDDEN}\nb\udc80\n" == output("a\nPASSWORD hunter2\nb\udc80\n")


def test_values_of_parameters_that_sound_like_secrets_are_left_out():
    assert HIDDEN == value("parameters/site_password", "x", secret=False)
    assert "keyed:1" == value("parameters/site_password", "keyed:1", secret=True)
    assert {"token": HIDDEN, "n": [1, "a"]} == value(
        "commands/x", {"token": "t", "n": [1, "a"]}, secret=False
    )
    assert "300" == value("ems/ems_keep_alive", "300", secret=False)


@pytest.mark.parametrize(
    "piece", ["password ", "a.", 'secret="', "-----BEGIN PRIVATE KEY-----", "token:" + " " * 9]
)
def test_no_text_makes_it_slow(piece):
    start = time.process_time()
    sentence(piece * 20_000)
    output(piece * 20_000)

    assert time.process_time() - start < 5
