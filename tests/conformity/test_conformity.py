"""The claims of conformity hold. A process of their own tries them: they arm it, and other tests want one unarmed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CLAIMS = Path(__file__).with_name("claims.py")


@pytest.mark.timeout(300)
def test_every_http_library_tells_what_the_published_conventions_ask_for() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CLAIMS)],
        cwd=CLAIMS.parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
