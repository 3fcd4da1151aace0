"""Makes the virtual environment of a claim, lends it this Remora, and runs the claim's tests there."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hosts.preparing import lend_remora, requirements_of_remora
from support.tree import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from versions.claims import Claim

_TO_TEST = ("hypothesis", "packaging", "psutil", "pytest", "pytest-timeout", "h11", "opentelemetry-proto")
_LONGEST_S = 500


@dataclass(frozen=True)
class Outcome:
    """``held`` is whether the claim does; ``words`` say what pytest or pip came to."""

    held: bool
    words: str

    def __str__(self) -> str:
        return f"{'holds' if self.held else 'DOES NOT HOLD'}: {self.words}"


def attempt(claim: Claim, folder: Path, interpreter: str = sys.executable) -> Outcome:
    """Installs and tests; an environment that is there already is used again."""
    environment = folder / "-".join([claim.name, *claim.requirements, _fingerprint(claim, interpreter)])
    python = environment / "bin" / "python"
    if not (environment / "complete").exists():
        refused = _make(environment, claim, interpreter)
        if refused:
            return Outcome(False, f"cannot be installed: {refused}")
    missing = [test for test in claim.tests if not (REPOSITORY / test).exists()]
    if missing:
        return Outcome(False, f"has no tests: {', '.join(missing)}")
    print(f"== {claim.name}: {', '.join(claim.requirements)}", flush=True)
    # What old releases warn of is their own affair; a warning of ours would be seen with the current ones.
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default", *claim.tests]
    done = subprocess.run(
        [python, *words],
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "CI"))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        timeout=_LONGEST_S,
        check=False,
    )
    last = next((line for line in reversed(done.stdout.splitlines()) if re.search(r"\d+ \w+.* in ", line)), "")
    if done.returncode:
        print(
            "\n".join(line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR", "E  ")))[-4000:]
        )
    return Outcome(done.returncode == 0, last or f"pytest ended with {done.returncode}: {done.stdout[-500:]}")


def _fingerprint(claim: Claim, interpreter: str) -> str:
    """Changes with everything that an environment is made from."""
    return hashlib.sha256(repr((claim, interpreter, sys.version, _TO_TEST)).encode()).hexdigest()[:8]


def _make(environment: Path, claim: Claim, interpreter: str) -> str:
    """What pip says where it fails, else nothing."""
    shutil.rmtree(environment, ignore_errors=True)
    subprocess.run([interpreter, "-m", "venv", "--without-pip", environment], check=True, timeout=_LONGEST_S)
    wanted = [*claim.requirements, *claim.companions, *requirements_of_remora(), *_TO_TEST]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", environment, "install", "-q", *wanted],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    if done.returncode:
        return done.stdout.strip()[-600:]
    lend_remora(environment)
    (environment / "complete").touch()
    return ""
