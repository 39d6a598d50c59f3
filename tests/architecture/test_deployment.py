"""docker-compose.yml starts the very processes that the local system starts, from pinned images."""

import re
import shutil
import subprocess

import pytest
import yaml

from kizuna.local import system
from kizuna.local.airflow import PROCESSES
from kizuna.local.databases import DEPLOYMENT_SETTINGS
from kizuna.settings import PROJECT
from kizuna.sources import SOURCES


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]


def test_the_containers_run_what_the_local_system_runs(services):
    for name, arguments in PROCESSES.items():
        assert services[name]["command"] == ["airflow", *arguments]
    assert services["sandbox"]["profiles"] == ["sandbox"]
    assert services["sandbox"]["command"][:2] == ["kizuna", "sandbox"]
    assert services["webhooks"]["command"][:2] == ["kizuna", "webhooks"]
    assert {*system.PROCESSES} <= {*services}
    assert services["prepare"]["command"] == ["kizuna", "prepare"]


def test_every_setting_a_deployment_needs_is_passed_on(services):
    assert set(DEPLOYMENT_SETTINGS) <= set(services["prepare"]["environment"])


def test_the_connection_of_every_source_is_passed_on(services):
    assert {f"AIRFLOW_CONN_{source.upper()}" for source in SOURCES} <= set(services["scheduler"]["environment"])


def test_images_are_pinned(services):
    dockerfile = (PROJECT / "Dockerfile").read_text()
    images = [service["image"] for service in services.values()] + re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert all(re.search(r":\d+\.\d+", image) for image in images), images
    assert re.search(r"uv==\d+\.\d+\.\d+", dockerfile)


def test_compose_accepts_the_file():
    compose = shutil.which("docker")
    if not compose or subprocess.run([compose, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("needs `docker compose` (only its client)")
    done = subprocess.run(
        [compose, "compose", "--profile", "sandbox", "config", "--quiet"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
