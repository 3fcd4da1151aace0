"""Prepares what a suite runs in: its sdist, and a virtual environment with the library and this Remora, both kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from support.tree import REPOSITORY, ROOTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hosts.suites import Suite

_COMPLETE = "complete"
_UNUSED_S = 24 * 3600


class UnpreparedError(Exception):
    """The package registry does not answer or does not have it, and nothing is kept from before."""


@dataclass(frozen=True)
class Prepared:
    """``sdist`` is the archive, ``bin`` the folder with the environment's programs."""

    suite: Suite
    version: str
    sdist: Path
    bin: Path

    def unpack(self, folder: Path) -> Path:
        """The source tree, fresh, so that no run sees what another one left."""
        with tarfile.open(self.sdist) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(folder, filter="data")
            else:
                archive.extractall(folder)
        (tree,) = folder.iterdir()
        return tree


def prepare(suite: Suite, kept_in: Path | None = None) -> Prepared:
    """The current release of the library. What is kept is used again as long as it is what would be made.

    Raises UnpreparedError.
    """
    folder = kept_in or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "remora-hosts")
    with _alone(folder / suite.library) as own:
        sdist = _current_sdist(suite.library, own / "sdist")
        version = sdist.name.removesuffix(".tar.gz").rpartition("-")[2]
        environment = own / f"environment-{_fingerprint(suite, version)}"
        if not (environment / _COMPLETE).exists():
            shutil.rmtree(environment, ignore_errors=True)
            _make(environment, suite, version)
        (environment / _COMPLETE).touch()
        _clear(own)
        return Prepared(suite, version, sdist, environment / "bin")


def _current_sdist(library: str, folder: Path) -> Path:
    """The newest release, or without a registry the one that was the newest when there was one."""
    fresh = folder.with_name("sdist.new")
    shutil.rmtree(fresh, ignore_errors=True)
    # Of what it takes to build it, which pip does to know its version, wheels will do.
    asked = _pip("download", "--quiet", "--no-deps", "--no-binary", library, "--dest", fresh, library)
    if asked.returncode == 0 and not any((folder / sdist.name).exists() for sdist in fresh.glob("*.tar.gz")):
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    for sdist in folder.glob("*.tar.gz"):
        return sdist
    raise UnpreparedError(asked.stdout[-2000:])


def _make(environment: Path, suite: Suite, version: str) -> None:
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    extras = f"[{','.join(suite.extras)}]" if suite.extras else ""
    library = f"{suite.library}{extras}=={version}"
    asked = _pip("--python", python, "install", "--quiet", library, *suite.needs, *requirements_of_remora())
    if asked.returncode != 0:
        raise UnpreparedError(asked.stdout[-2000:])
    lend_remora(environment)


def _clear(folder: Path) -> None:
    """Removes what nobody used for a day; what another checkout made may be in use."""
    for environment in folder.glob("environment-*"):
        used = environment / _COMPLETE
        if used.exists() and time.time() - used.stat().st_mtime > _UNUSED_S:
            shutil.rmtree(environment)


def requirements_of_remora() -> list[str]:
    return [line for line in metadata.requires("remora") or () if "extra ==" not in line]


def lend_remora(environment: Path) -> None:
    """What an editable installation would leave, without compiling again: what the checkout has compiled is tested."""
    (packages,) = environment.glob("lib/python*/site-packages")  # of whichever interpreter it was made with
    (packages / "remora.pth").write_text("".join(f"{REPOSITORY / root}\n" for root in ROOTS.values()))
    remora = metadata.distribution("remora")
    folder = packages / f"remora-{remora.version}.dist-info"
    folder.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (folder / name).write_text(remora.read_text(name) or "")


def _fingerprint(suite: Suite, version: str) -> str:
    """Changes with everything that an environment is made from."""
    remora = metadata.distribution("remora")
    texts = [remora.read_text(name) or "" for name in ("METADATA", "entry_points.txt")]
    made_from = [sys.version, sys.base_prefix, version, *suite.extras, *suite.needs, str(REPOSITORY), *texts]
    return hashlib.sha256("\n".join(made_from).encode()).hexdigest()[:12]


def _pip(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """pip as the tester has it configured: same registry, same cache."""
    return subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """Nobody else prepares in ``folder`` meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
