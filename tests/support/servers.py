"""Servers that tests talk to: the one that is running, else one of our own, else a skip; in CI a skip is a failure."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOCAL = "127.0.0.1"
_POSTGRES_FOLDERS = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt/postgresql")


@dataclass(frozen=True)
class Database:
    """Where a database is; ``url`` is understood by psycopg, psycopg2 and command-line tools alike."""

    host: str
    port: int
    user: str
    name: str

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.name}"

    def keywords(self, database: str = "dbname") -> dict[str, str | int]:
        """Arguments of ``connect``; drivers differ in what they call the database."""
        return {"host": self.host, "port": self.port, "user": self.user, database: self.name}


def missing(reason: str) -> None:
    """Skip, and say why; where CI=true nothing may be missing."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{reason} (CI=true: .ci/run has to provide it)", pytrace=False)
    pytest.skip(reason, allow_module_level=True)


@contextmanager
def postgres_server() -> Iterator[Database]:
    """A PostgreSQL we may administer: the machine's own, or one that lives as long as this."""
    with ExitStack() as stack:
        running = Database(LOCAL, int(os.environ.get("PGPORT", "5432")), "postgres", "postgres")
        if _answers(running):
            yield running
            return
        folder = _postgres_folder()
        if folder is None:
            missing("no PostgreSQL answers on 127.0.0.1:5432 and none is installed (apt-get install postgresql)")
        else:
            yield stack.enter_context(_own_postgres(folder))


@contextmanager
def fresh_database(server: Database) -> Iterator[Database]:
    """A database of one's own on ``server``, gone afterwards."""
    import psycopg

    name = f"remora_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield replace(server, name=name)
    finally:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def free_port() -> int:
    """A TCP port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        port: int = probe.getsockname()[1]
        return port


def accepts_connections(port: int, host: str = LOCAL) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _answers(database: Database) -> bool:
    import psycopg

    try:
        with psycopg.connect(database.url, connect_timeout=3):
            return True
    except psycopg.Error:
        return False


def _postgres_folder() -> Path | None:
    """Where initdb and postgres lie; Debian keeps them off PATH, one folder for each version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    candidates = [path.parent for root in _POSTGRES_FOLDERS for path in Path(root).glob("**/bin/initdb")]
    return max(candidates, default=None, key=str)


@contextmanager
def _own_postgres(folder: Path) -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="remora-postgres-") as data:
        as_user = _unprivileged(Path(data))
        cluster, port = f"{data}/cluster", free_port()
        as_user([str(folder / "initdb"), "-D", cluster, "-U", "postgres", "-A", "trust", "--no-sync"])
        options = f"-F -p {port} -c listen_addresses={LOCAL} -c unix_socket_directories={data}"
        control = [str(folder / "pg_ctl"), "-D", cluster, "-w"]
        as_user([*control, "-l", f"{data}/log", "-o", options, "start"])
        try:
            yield Database(LOCAL, port, "postgres", "postgres")
        finally:
            as_user([*control, "-m", "immediate", "stop"])


def _unprivileged(data: Path) -> Callable[[list[str]], None]:
    """PostgreSQL refuses to run as root, so root hands over to the user that owns ``data`` from now on."""
    account = None
    if os.geteuid() == 0:
        try:
            account = pwd.getpwnam("postgres")
        except KeyError:
            account = pwd.getpwnam("nobody")
        os.chown(data, account.pw_uid, account.pw_gid)

    def run(command: list[str]) -> None:
        subprocess.run(
            command,
            check=True,
            cwd=data,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )

    return run
