"""The resource: which service, process and host the telemetry comes from; made once per process and per fork."""

from __future__ import annotations

import os
import sys

import remora
from remora import diagnostics
from remora.telemetry import names, service_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.settings import Settings

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "x86", "i386": "x86", "armv7l": "arm32"}


class Resource:
    """Attributes that every record of this process shares, as OTLP's Resource."""

    __slots__ = ("_sdk", "attributes", "schema_url")

    def __init__(self, attributes: dict[str, Any], schema_url: str | None = None) -> None:
        self.attributes = attributes
        self.schema_url = schema_url
        self._sdk: Any = None

    def sdk(self) -> Any:
        """The same as an ``opentelemetry.sdk.resources.Resource`` (imports the SDK)."""
        if self._sdk is None:
            from opentelemetry.sdk.resources import Resource as SdkResource

            self._sdk = SdkResource(self.attributes, self.schema_url)
        return self._sdk


def detect(settings: Settings) -> Resource:
    """The resource of this process. User-given attributes win over detected ones, ``OTEL_SERVICE_NAME`` over all."""
    attributes: dict[str, Any] = {
        names.SDK_LANGUAGE: "python",
        names.SDK_NAME: "remora",
        names.SDK_VERSION: remora.__version__,
        names.DISTRO_NAME: "remora",
        names.DISTRO_VERSION: remora.__version__,
        names.SERVICE_INSTANCE_ID: _instance_id(),
    }
    attributes.update(_process())
    attributes.update(_host())
    attributes.update(_detected(settings.resource_detectors))
    attributes.update(settings.resource_attributes)
    if settings.service_name:
        attributes[names.SERVICE_NAME] = settings.service_name
    elif not attributes.get(names.SERVICE_NAME):
        attributes[names.SERVICE_NAME] = service_name.of_this_process()
    return Resource(attributes)


def _instance_id() -> str:
    # A random version-4 UUID, without importing uuid.
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _process() -> dict[str, Any]:
    implementation = sys.implementation
    version = implementation.version
    attributes: dict[str, Any] = {
        names.PROCESS_PID: os.getpid(),
        names.PROCESS_PARENT_PID: os.getppid(),
        names.PROCESS_RUNTIME_NAME: implementation.name,
        names.PROCESS_RUNTIME_VERSION: f"{version.major}.{version.minor}.{version.micro}"
        if version.releaselevel == "final"
        else f"{version.major}.{version.minor}.{version.micro}-{version.releaselevel}-{version.serial}",
        names.PROCESS_RUNTIME_DESCRIPTION: sys.version.replace("\n", " "),
    }
    if sys.executable:
        attributes[names.PROCESS_EXECUTABLE_NAME] = os.path.basename(sys.executable)
        attributes[names.PROCESS_EXECUTABLE_PATH] = sys.executable
    created = _creation_time()
    if created:
        attributes[names.PROCESS_CREATION_TIME] = created
    return attributes


def _creation_time() -> str | None:
    """ISO 8601 start time of this process, from /proc (Linux); None elsewhere."""
    try:
        with open("/proc/self/stat", "rb") as stat:
            ticks = int(stat.read().rpartition(b")")[2].split()[19])
        with open("/proc/stat", "rb") as stat:
            boot_s = next(int(line.split()[1]) for line in stat if line.startswith(b"btime"))
        from time import gmtime, strftime

        seconds = boot_s + ticks / os.sysconf("SC_CLK_TCK")
        return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"
    except (OSError, ValueError, IndexError, StopIteration, AttributeError):
        return None


def _host() -> dict[str, Any]:
    system = os.uname()
    return {
        names.HOST_NAME: system.nodename,
        names.HOST_ARCH: _ARCHITECTURES.get(system.machine, system.machine),
        names.OS_TYPE: system.sysname.lower(),
        names.OS_VERSION: system.release,
    }


def _detected(detector_names: tuple[str, ...]) -> dict[str, Any]:
    """What the SDK's resource detectors named by OTEL_EXPERIMENTAL_RESOURCE_DETECTORS find."""
    wanted = [name for name in detector_names if name not in ("otel", "")]
    if not wanted:
        return {}
    found: dict[str, Any] = {}
    try:
        # Only a program that names detectors pays for the SDK's import.
        from importlib.metadata import entry_points

        entries = {entry.name: entry for entry in entry_points(group="opentelemetry_resource_detector")}
        chosen = list(entries) if "*" in wanted else wanted
    except Exception as error:
        diagnostics.say("detectors", f"resource detectors cannot be read: {type(error).__name__}: {error}")
        return {}
    for name in chosen:
        entry = entries.get(name)
        if entry is None:
            if name not in ("process", "os", "host"):
                diagnostics.say(
                    f"detector-{name}",
                    f"OTEL_EXPERIMENTAL_RESOURCE_DETECTORS names {name!r}, which no installed package offers; "
                    f"there are: {', '.join(sorted(entries)) or 'none'}",
                )
            continue
        try:
            found.update(entry.load()().detect().attributes)
        except Exception as error:
            diagnostics.say(f"detector-{name}", f"resource detector {name!r} failed: {type(error).__name__}: {error}")
    return found
