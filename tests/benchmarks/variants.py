"""What is measured: a program as it is, under Remora, and under each peer, and how each of them is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers import Peer
from support.processes import environment, onpath

PROGRAMS = Path(__file__).parent / "programs"
OURS = "remora"

# Peers send no logs, telemetry about themselves or remote configuration; metrics as the benchmark says.
_OTLP = {
    "OTEL_SERVICE_NAME": "shop",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
}
_DATADOG = {
    "DD_SERVICE": "shop",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_RUNTIME_METRICS_ENABLED": "false",
    "DD_CRASHTRACKING_ENABLED": "false",
    "DD_TRACE_STARTUP_LOGS": "false",
}


class ProgramError(RuntimeError):
    """A program under measurement did not end well."""


@dataclass(frozen=True)
class Variant:
    """One way to run a program. ``launcher`` stands before ``python``; ``label`` is what tables show."""

    label: str
    python: str
    environ: Mapping[str, str] = field(default_factory=dict)
    launcher: tuple[str, ...] = ()

    def command(self, *words: str) -> list[str]:
        return [*self.launcher, self.python, *words]

    def run(self, program: str, *arguments: object, timeout_s: float = 300) -> dict[str, Any]:
        """Runs one of ``programs/`` to its end; the JSON object in its last line of output."""
        return _last_line(self.command(str(PROGRAMS / program), *map(str, arguments)), self.environ, timeout_s)


def plain(python: str | os.PathLike[str] = sys.executable, label: str = "plain", **more: str) -> Variant:
    """The program with nothing around it, in the environment of ``python``."""
    return Variant(label, os.fspath(python), environment(launched=False, env=_with_scripts(python, more)))


def remora(sink_url: str, state: Path, **more: str) -> Variant:
    """Ours, injected by environment variables, everything at its default but the endpoint."""
    added = {**_with_scripts(sys.executable, more), "OTEL_SERVICE_NAME": "shop"}
    added["OTEL_EXPORTER_OTLP_ENDPOINT"] = sink_url
    return Variant(OURS, sys.executable, environment(launched=True, env=added, state=str(state)))


def remora_run(sink_url: str, state: Path) -> Variant:
    """Ours as `remora run python ...`: the launcher's own time counts, too."""
    injected = remora(sink_url, state)
    environ = {name: value for name, value in injected.environ.items() if name != "PYTHONPATH"}
    return Variant("remora run", sys.executable, environ, (sys.executable, "-m", "remora", "run"))


def by_hand(peer: Peer, sink_url: str) -> Variant:
    """A peer that the program sets up itself."""
    assert peer.python is not None
    return Variant(peer.name, os.fspath(peer.python), environment(launched=False, env=_peer_settings(peer, sink_url)))


def launched(peer: Peer, sink_url: str, *, metrics: bool = False) -> Variant:
    """A peer's own zero-code launcher. Datadog's agent makes metrics of the traces itself."""
    assert peer.python is not None
    launcher = {"opentelemetry": "opentelemetry-instrument", "ddtrace": "ddtrace-run"}[peer.name]
    settings = _peer_settings(peer, sink_url)
    if metrics and peer.name == "opentelemetry":
        settings["OTEL_METRICS_EXPORTER"] = "otlp"
    environ = environment(launched=False, env=settings)
    return Variant(launcher, os.fspath(peer.python), environ, (os.fspath(peer.scripts / launcher),))


def remora_is_here() -> str:
    """Empty, or why Remora cannot be measured in this environment."""
    try:
        onpath()
    except LookupError as error:
        return str(error)
    return ""


def _peer_settings(peer: Peer, sink_url: str) -> dict[str, str]:
    settings = dict(_DATADOG) if peer.name == "ddtrace" else dict(_OTLP)
    settings["DD_TRACE_AGENT_URL" if peer.name == "ddtrace" else "OTEL_EXPORTER_OTLP_ENDPOINT"] = sink_url
    assert peer.python is not None
    return _with_scripts(peer.python, settings)


def _with_scripts(python: str | os.PathLike[str], more: Mapping[str, str]) -> dict[str, str]:
    """PATH with the scripts of that environment first: launchers look their command up there."""
    return {**more, "PATH": os.pathsep.join((str(Path(python).parent), os.environ.get("PATH", os.defpath)))}


def _last_line(command: Sequence[str], environ: Mapping[str, str], timeout_s: float) -> dict[str, Any]:
    done = subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise ProgramError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-1500:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    if noise := done.stderr.strip():
        answer["stderr"] = noise[-1500:]
    return answer
