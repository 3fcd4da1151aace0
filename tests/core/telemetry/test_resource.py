"""What a process says of itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import remora
from remora import settings
from remora.telemetry.resource import detect


def attributes(**environ):
    return detect(settings.load(environ).settings).attributes


def test_the_resource_names_service_process_host_and_the_distribution():
    found = attributes(OTEL_SERVICE_NAME="shop")
    assert found["service.name"] == "shop"
    assert found["process.pid"] == os.getpid()
    assert found["process.runtime.name"] == sys.implementation.name
    assert found["telemetry.sdk.language"] == "python"
    assert found["telemetry.distro.name"] == "remora"
    assert found["telemetry.distro.version"] == remora.__version__
    assert found["host.name"] == os.uname().nodename
    assert found["os.type"] == os.uname().sysname.lower()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["process.creation.time"])
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", found["service.instance.id"]
    )


def test_given_attributes_win_and_the_service_name_variable_wins_over_all():
    found = attributes(
        OTEL_RESOURCE_ATTRIBUTES="service.name=lesser,host.name=mine,team=a%20b", OTEL_SERVICE_NAME="greater"
    )
    assert (found["service.name"], found["host.name"], found["team"]) == ("greater", "mine", "a b")
    assert attributes(OTEL_RESOURCE_ATTRIBUTES="service.name=only")["service.name"] == "only"


def test_command_line_arguments_are_not_told_since_they_may_hold_secrets():
    code = (
        "from remora import settings; from remora.telemetry.resource import detect; "
        "print(detect(settings.load({}).settings).attributes)"
    )
    command = [sys.executable, "-c", code, "--password=hunter2"]
    assert "hunter2" not in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_detection_is_another_instance():
    assert attributes()["service.instance.id"] != attributes()["service.instance.id"]


def test_detectors_of_the_sdk_add_what_they_find():
    assert attributes(OTEL_EXPERIMENTAL_RESOURCE_DETECTORS="process")["process.owner"]


def test_a_detector_nobody_offers_is_named(capfd):
    attributes(OTEL_EXPERIMENTAL_RESOURCE_DETECTORS="gizmo")
    assert "'gizmo', which no installed package offers" in capfd.readouterr().err
