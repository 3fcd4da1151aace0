"""A MariaDB for tests: the one that is running, else one of our own, else a skip; in CI a skip is a failure."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.servers import LOCAL, Database, free_port, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAEMONS = ("mariadbd", "mysqld")
_INSTALLERS = ("mariadb-install-db", "mysql_install_db")
_START_S = 60


@contextmanager
def mariadb_server() -> Iterator[Database]:
    """A MariaDB we may administer: the machine's own, or one that lives as long as this."""
    running = Database(LOCAL, int(os.environ.get("MYSQL_TCP_PORT", "3306")), "root", "mysql")
    if _answers(running):
        yield running
        return
    daemon, installer = _found(_DAEMONS), _found(_INSTALLERS)
    if daemon is None or installer is None:
        missing("no MariaDB lets root in on 127.0.0.1:3306 and none is installed (apt-get install mariadb-server)")
    else:
        with _own_mariadb(daemon, installer) as own:
            yield own


@contextmanager
def fresh_mariadb_database(server: Database) -> Iterator[Database]:
    """A database of one's own on ``server``, gone afterwards."""
    name = f"remora_test_{uuid.uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE `{name}`")
    try:
        yield replace(server, name=name)
    finally:
        _execute(server, f"DROP DATABASE IF EXISTS `{name}`")


def _execute(server: Database, query: str) -> None:
    with closing(_connected(server)) as connection:
        connection.cursor().execute(query)


def _connected(server: Database) -> Any:
    import pymysql

    return pymysql.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password="",
        database=server.name,
        connect_timeout=3,
        autocommit=True,
    )


def _answers(server: Database) -> bool:
    import pymysql

    try:
        _connected(server).close()
    except pymysql.MySQLError:
        return False
    return True


def _found(names: tuple[str, ...]) -> str | None:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))  # not everybody's PATH
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


@contextmanager
def _own_mariadb(daemon: str, installer: str) -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="remora-mariadb-") as folder:
        data, port = f"{folder}/data", free_port()
        common = ["--no-defaults", f"--datadir={data}", f"--user={getpass.getuser()}"]
        subprocess.run(
            [installer, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=_START_S,
        )
        address = [f"--bind-address={LOCAL}", f"--port={port}", f"--socket={folder}/socket"]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(
                [daemon, *common, *address], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        server = Database(LOCAL, port, "root", "mysql")
        try:
            _wait(process, server, Path(folder, "log"))
            yield server
        finally:
            process.terminate()
            process.wait(_START_S)


def _wait(process: subprocess.Popen[bytes], server: Database, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not _answers(server):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"MariaDB did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)
