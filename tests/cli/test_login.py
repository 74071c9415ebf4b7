"""How Loki is spoken to: logins, tenants, certificates, addresses; what is refused, and no secret told."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.loki import Loki

Logparse = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def log(fixtures: Path) -> Path:
    return fixtures / "16.0-w2-info" / "odoo.log"


def test_basic_authentication_from_the_environment(loki: Loki, log: Path, logparse: Logparse) -> None:
    loki.login = "Basic b2RvbzpwYTp3MHJk"  # odoo:pa:w0rd
    run = logparse(
        "ship", "--loki", loki.url, "--once", "--user", "odoo", log, env={"LOGPARSE_SHIP_PASSWORD": "pa:w0rd"}
    )
    assert run.returncode == 0, run.stderr
    run = logparse(
        "ship", "--loki", loki.url, "--once", "--user", "odoo", log, env={"LOGPARSE_SHIP_PASSWORD": "wr0ng"}
    )
    assert run.returncode == 1
    assert "Loki does not know this login (401)" in run.stderr
    assert "wr0ng" not in run.stderr


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (401, "no org id", "Loki wants a tenant (401): name it with --tenant"),
        (401, "", "Loki wants a login (401)"),
        (403, "", "may not push"),
        (404, "404 page not found", "there is no push API of Loki at http://127.0.0.1:"),
        (302, "", "leads elsewhere (302)"),
        (400, "The plain HTTP request was sent to HTTPS port", "refuses everything (400): is it Loki?"),
    ],
)
def test_hopeless(status: int, text: str, said: str, loki: Loki, log: Path, logparse: Logparse) -> None:
    """One sentence, and nothing is taken for refused, since it is not the events' fault."""
    loki.status, loki.text = status, text
    run = logparse("ship", "--loki", loki.url, "--once", log)
    assert run.returncode == 1
    assert said in run.stderr
    assert "0 events were sent" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--loki", "ftp://loki:3100"), "is no address of Loki; write it like http://loki:3100"),
        (("--loki", "http://"), "is no address of Loki"),
        (("--loki", "http://loki:99999"), "is no URL"),
        (("--loki", "http://me:s3cr3t@loki:3100"), "a login does not belong into the URL"),
        (("--loki", "http://loki:3100/?x=1"), "ends with its path"),
        (("--loki", "https://loki:3100/?token=s3cr3t"), "'https://loki:3100/': the address of Loki ends"),
        (("--loki", "me:s3cr3t@loki:3100"), "this is no address of Loki"),
        (("--loki", "http://loki", "--ca-file", "nowhere"), "the URL is not https"),
        (("--loki", "https://loki", "--ca-file", "nowhere"), "holds no certificates that can be read"),
        (("--loki", "https://loki", "--cert-file", "nowhere"), "cannot be used"),
        (("--loki", "http://loki", "--token-file", "nowhere"), "nowhere cannot be read (No such file"),
        (("--loki", "http://loki", "--user", "me"), "--user needs --password-file"),
        (("--loki", "http://loki", "--label", "event=x"), "the label event is set by logparse"),
        (("--loki", "http://loki", "--label", "ein-s=x"), "is not NAME=VALUE"),
        (("--loki", "http://loki", "--once", "--state", "x"), "--once neither keeps a state"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], said: str, log: Path, logparse: Logparse) -> None:
    run = logparse("ship", *arguments, log)
    assert run.returncode in (1, 2)
    assert said in run.stderr
    assert "s3cr3t" not in run.stderr
    assert run.stderr.count("\n") == 1
