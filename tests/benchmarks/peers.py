"""What Remora is measured beside, each in a virtual environment of its own that is made when first needed."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

# The program's own libraries are the same for all; of contrib's instrumentations those whose libraries Remora covers
# and the programs under measurement use, no others: more would only make its start slower.
PEERS: Mapping[str, tuple[str, ...]] = {
    "opentelemetry": (
        "opentelemetry-distro",
        "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry-instrumentation-flask",
        "opentelemetry-instrumentation-requests",
        "opentelemetry-instrumentation-sqlite3",
        "opentelemetry-instrumentation-threading",
        "opentelemetry-instrumentation-urllib3",
        "opentelemetry-instrumentation-wsgi",
        "flask",
        "requests",
    ),
    "ddtrace": ("ddtrace", "flask", "requests"),
    "fastotel": ("fastotel", "opentelemetry-api", "opentelemetry-sdk"),
}
# For the HTTP libraries, apart: all that contrib finds installed it patches at its start, whatever the program imports.
_HTTP_LIBRARIES = ("aiohttp", "django", "fastapi", "flask", "httpx", "requests", "starlette")
_HTTP_INSTRUMENTATIONS = (
    "aiohttp-client", "aiohttp-server", "asgi", "django", "fastapi", "flask", "httpx", "requests", "sqlite3",
    "starlette", "threading", "urllib3", "wsgi",
)  # fmt: skip
HTTP_PEERS: Mapping[str, tuple[str, ...]] = {
    "opentelemetry": (
        "opentelemetry-distro",
        "opentelemetry-exporter-otlp-proto-http",
        *(f"opentelemetry-instrumentation-{name}" for name in _HTTP_INSTRUMENTATIONS),
        *_HTTP_LIBRARIES,
    ),
    "ddtrace": ("ddtrace", *_HTTP_LIBRARIES),
}
# For the drivers of databases, apart for the same reason.
_DRIVERS = ("psycopg[binary]", "pymysql", "redis")
DATABASE_PEERS: Mapping[str, tuple[str, ...]] = {
    "opentelemetry": (
        "opentelemetry-distro",
        "opentelemetry-exporter-otlp-proto-http",
        *(f"opentelemetry-instrumentation-{name}" for name in ("psycopg", "pymysql", "redis", "sqlite3")),
        *_DRIVERS,
    ),
    "ddtrace": ("ddtrace", *_DRIVERS),
}
_SHOWN = {"sqlparse": "sqlparse", "opentelemetry": "opentelemetry-sdk", "ddtrace": "ddtrace", "fastotel": "fastotel"}


@dataclass(frozen=True)
class Peer:
    """``python`` is None when it cannot be measured here; ``detail`` then says why, else which version it is."""

    name: str
    python: Path | None
    detail: str

    @property
    def scripts(self) -> Path:
        assert self.python is not None
        return self.python.parent


def prepare(names: Iterable[str], folder: Path) -> dict[str, Peer]:
    """The peers that can be measured, by name, and those that cannot with the reason."""
    return {name: _prepared(name, folder / name, PEERS[name]) for name in names}


def prepare_for_http(names: Iterable[str], folder: Path) -> dict[str, Peer]:
    """The same with all HTTP libraries and what instruments them; only those peers that do."""
    return {name: _prepared(name, folder / f"{name}-http", HTTP_PEERS[name]) for name in names if name in HTTP_PEERS}


def prepare_for_databases(names: Iterable[str], folder: Path) -> dict[str, Peer]:
    """The same with drivers of databases and what instruments them; only those peers that do."""
    known = [name for name in names if name in DATABASE_PEERS]
    return {name: _prepared(name, folder / f"{name}-databases", DATABASE_PEERS[name]) for name in known}


def prepare_sqlparse(names: Iterable[str], folder: Path) -> dict[str, Peer]:
    """The parser that a program has to be given to keep values out of contrib's queries: contrib has none itself."""
    return {"sqlparse": _prepared("sqlparse", folder / "sqlparse", ("sqlparse",))} if "opentelemetry" in names else {}


def _prepared(name: str, home: Path, requirements: tuple[str, ...]) -> Peer:
    python = home / "bin" / "python"
    stamp = home / "installed"
    wanted = "\n".join(requirements)
    if not (stamp.is_file() and stamp.read_text() == wanted):
        print(f"installing {name} into {home}", file=sys.stderr, flush=True)
        reason = _install(home, python, requirements)
        if reason:
            return Peer(name, None, f"not installed: {reason}")
        stamp.write_text(wanted)
    ask = f"from importlib.metadata import version; print(version({_SHOWN[name]!r}))"
    answer = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    if answer.returncode:
        return Peer(name, None, f"not usable: {_last_line(answer.stderr)}")
    return Peer(name, python, answer.stdout.strip())


def _install(home: Path, python: Path, requirements: tuple[str, ...]) -> str:
    """Empty when all is there, else why not."""
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(home)
        done = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    return "" if done.returncode == 0 else _last_line(done.stderr)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no reason given"])[-1]
