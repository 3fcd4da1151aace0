"""What a user installs, from a wheel, an sdist, or without a compiler, is whole and works in a fresh environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import remora
from remora._build import compiled_modules
from support.processes import run
from support.servers import missing
from support.tree import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.processes import Finished

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]

COMPILED = {name.replace(".", "/") for name in compiled_modules(REPOSITORY / "core")}
_STATE = """
import sys
from remora.telemetry import spans_cy
print("remora.bootstrap" in sys.modules, spans_cy.COMPILED)
"""


def _pip(*arguments: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """pip as the tester has it configured: same registry, same cache."""
    return subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)],
        # The tester's own choice of how Remora is built is not what is tested.
        env={**{name: value for name, value in os.environ.items() if not name.startswith("REMORA_")}, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )


def _done(finished: subprocess.CompletedProcess[str]) -> str:
    assert finished.returncode == 0, finished.stdout[-4000:]
    return finished.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as somebody else gets it: what git has or would have, and nothing built."""
    copy = tmp_path_factory.mktemp("source")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):  # not from git, but from an archive
        built = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "*.so", "__pycache__")
        return Path(shutil.copytree(REPOSITORY, copy, ignore=built, dirs_exist_ok=True))
    for name in names:
        if (REPOSITORY / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(folder), str(source)]
    _done(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False))
    (path,) = folder.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> None:
    if _pip("download", "--no-deps", "--dest", tmp_path_factory.mktemp("reach"), "pluggy").returncode != 0:
        missing("no package registry can be reached, so nothing can be installed")


@pytest.fixture(scope="module")
def wheel(sdist: Path, registry: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _done(_pip("wheel", "--no-deps", "--wheel-dir", folder, sdist, env={"REMORA_REQUIRE_EXT": "1"}))
    (path,) = folder.glob("*.whl")
    return path


class Environment:
    """A fresh virtual environment with Remora in it."""

    def __init__(self, folder: Path, *install: str | Path, env: Mapping[str, str] | None = None) -> None:
        venv.create(folder, symlinks=True)
        self.bin = folder / "bin"
        self.log = _done(_pip("--python", self.bin / "python", "install", *install, env=env))

    def run(self, program: str, *arguments: str, env: Mapping[str, str] | None = None) -> Finished:
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        command = [self.bin / program, *arguments]
        return run(command, env={"PATH": path, **(env or {})}, launched=False, cwd=self.bin)

    def onpath(self) -> str:
        found = "import os, remora_launch; print(os.path.join(remora_launch.__path__[0], 'onpath'))"
        return self.run("python", "-c", found).stdout.strip()


def _works(environment: Environment, *, compiled: bool) -> None:
    version = environment.run("remora", "--version")
    assert remora.__version__ in version.stdout, version.stderr
    told = (f"True {compiled}\n", 0)
    launched = environment.run("remora", "run", "python", "-c", _STATE)
    assert (launched.stdout, launched.exit_code) == told, launched.stderr
    as_module = environment.run("python", "-m", "remora", "run", "python", "-c", _STATE)
    assert (as_module.stdout, as_module.exit_code) == told, as_module.stderr
    injected = environment.run("python", "-c", _STATE, env={"PYTHONPATH": environment.onpath()})
    assert (injected.stdout, injected.exit_code) == told, injected.stderr
    assert injected.stderr == ""


def test_an_sdist_has_the_sources_of_the_compiled_core_and_no_generated_code(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for module, path in compiled_modules(REPOSITORY / "core").items():
        assert str(path.relative_to(REPOSITORY)) in names, module
    assert {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "core").rglob("*.pxd")} <= names
    assert {"LICENSE", "README.md", "pyproject.toml", "core/remora/py.typed"} <= names
    assert {name for name in names if name.endswith((".c", ".so")) or name.startswith(("tests/", "build/"))} == set()


def test_a_wheel_has_everything_that_runs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.partition(".")[0] for name in names if name.endswith(".so")} == COMPILED
    assert {"remora/py.typed", "remora_launch/onpath/__init__.py", "remora_launch/onpath/sitecustomize.py"} <= names
    shipped = {
        str(path.relative_to(REPOSITORY / root))
        for root in ("core", "plugins", "sitecustomize")
        for path in (REPOSITORY / root).rglob("*.py")
    }
    assert shipped <= names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"remora", "remora_plugins", "remora_launch", f"remora-{remora.__version__}.dist-info"}
    assert {name for name in names if name.endswith((".pyx", ".pxd", ".c"))} == set()


def test_an_installed_wheel_runs_programs_on_the_compiled_core(wheel: Path, tmp_path: Path) -> None:
    _works(Environment(tmp_path / "venv", wheel), compiled=True)


def test_an_sdist_installs_where_there_is_no_compiler_and_says_so(sdist: Path, registry: None, tmp_path: Path) -> None:
    environment = Environment(tmp_path / "venv", "-v", sdist, env={"CC": "/bin/false"})
    assert "the compiled core was not built" in environment.log
    assert list((tmp_path / "venv").rglob("remora/**/*.so")) == []
    _works(environment, compiled=False)


def test_a_required_core_that_cannot_be_compiled_fails_the_installation(
    sdist: Path, registry: None, tmp_path: Path
) -> None:
    failed = _pip(
        "wheel", "--no-deps", "--wheel-dir", tmp_path, sdist, env={"CC": "/bin/false", "REMORA_REQUIRE_EXT": "1"}
    )
    assert failed.returncode != 0
    assert list(tmp_path.glob("*.whl")) == []


def test_a_pure_wheel_is_for_every_platform(sdist: Path, registry: None, tmp_path: Path) -> None:
    _done(_pip("wheel", "--no-deps", "--wheel-dir", tmp_path, sdist, env={"REMORA_NO_EXT": "1"}))
    (pure,) = tmp_path.glob("*.whl")
    assert pure.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(pure) as archive:
        assert [name for name in archive.namelist() if name.endswith(".so")] == []


def test_an_editable_installation_compiles_in_place_and_follows_the_sources(
    source: Path, registry: None, tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "venv", "-e", source, env={"REMORA_REQUIRE_EXT": "1"})
    built = {str(path.relative_to(source / "core")).partition(".")[0] for path in (source / "core").rglob("*.so")}
    assert built == COMPILED
    assert list((source / "core").rglob("*.c")) == []
    _works(environment, compiled=True)
