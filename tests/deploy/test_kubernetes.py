"""The Kubernetes example: valid by the published schemas, and true to what logparse does."""

import subprocess
import time
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.conftest import DEPLOY, Serve, ask, options, until

FILE = DEPLOY / "kubernetes.yaml"
LOG = "/var/log/odoo/odoo-server.log"
Yaml = dict[str, Any]


@pytest.fixture(scope="module")
def documents() -> list[Yaml]:
    return list(yaml.safe_load_all(FILE.read_text()))


@pytest.fixture(scope="module")
def pod(documents: list[Yaml]) -> Yaml:
    (deployment,) = [one for one in documents if one["kind"] == "Deployment"]
    spec: Yaml = deployment["spec"]["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def containers(pod: Yaml) -> dict[str, Yaml]:
    return {one["name"]: one for one in pod["initContainers"] + pod["containers"]}


# The first release that has sidecars, and the latest that the package knows.
@pytest.mark.parametrize("release", ["1.29", kubernetes_validate.latest_version()])
def test_valid_by_the_schemas_of_a_release(documents: list[Yaml], release: str) -> None:
    for document in documents:
        kubernetes_validate.validate(document, release, strict=True)


def test_the_schemas_would_find_a_wrong_word(documents: list[Yaml]) -> None:
    wrong = yaml.safe_load(yaml.safe_dump(documents[0]).replace("failureThreshold", "failureTreshold"))
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.29", strict=True)


def test_what_is_started_is_understood(containers: dict[str, Yaml]) -> None:
    one = containers["logparse"]
    assert options(one["args"])["files"] == (LOG,)
    assert f"--logfile={LOG}" in containers["odoo"]["args"]


def test_every_probe_is_answered_while_there_is_no_log(
    serve: Serve, containers: dict[str, Yaml], tmp_path: Path
) -> None:
    """Odoo starts after the startup probe has succeeded: it must not wait for a log of Odoo's."""
    one = containers["logparse"]
    (port,) = one["ports"]
    url = serve(
        [*one["args"][:-1], str(tmp_path / "odoo-server.log")], env={"LOGPARSE_SERVE_LISTEN": "127.0.0.1:0"}
    )
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        request = one[probe]["httpGet"]
        assert request["port"] == port["name"]
        assert ask(url + request["path"]) == 200
    assert ask(f"{url}/healthz") == 503


def test_it_has_no_rights(pod: Yaml, containers: dict[str, Yaml]) -> None:
    (user,) = [
        line.split()[1] for line in (DEPLOY / "Containerfile").read_text().splitlines() if "USER " in line
    ]
    one = containers["logparse"]
    context = one["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
    for name in ("logparse", "rotate"):
        context = containers[name]["securityContext"]
        assert context["runAsNonRoot"] is context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= set(containers[name]["resources"]["limits"])
    assert pod["automountServiceAccountToken"] is False
    written = [mount["name"] for mount in one["volumeMounts"] if not mount.get("readOnly")]
    assert written == ["logparse-state"]


def test_the_log_is_rotated(containers: dict[str, Yaml], tmp_path: Path) -> None:
    one = containers["rotate"]
    log = tmp_path / "odoo-server.log"
    (script,) = one["args"]
    env = {variable["name"]: variable["value"] for variable in one["env"]}
    assert int(env["ROTATE_BYTES"]) < 2**30
    env |= {"ROTATE_BYTES": "10", "ROTATE_SECONDS": "0.05", "PATH": "/usr/bin:/bin"}
    assert LOG in script
    process = subprocess.Popen([*one["command"], script.replace(LOG, str(log))], env=env)
    try:
        for number in range(3):
            log.write_text(f"piece {number}, of more than ten bytes\n")
            until(lambda: not log.exists())
        log.write_text("small\n")
        time.sleep(0.3)
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(10) == 0
    pieces = {path.name: path.read_text()[:7] for path in tmp_path.iterdir()}
    assert pieces == {
        "odoo-server.log": "small\n",
        "odoo-server.log.1": "piece 2",
        "odoo-server.log.2": "piece 1",
    }
