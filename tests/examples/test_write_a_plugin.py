"""The example of a third party's plugin works as its page says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from support.tree import REPOSITORY


def test_the_example_plugin_is_found_by_its_entry_point_and_passes_its_own_test(tmp_path):
    source = tmp_path / "source"
    shutil.copytree(REPOSITORY / "examples" / "write_a_plugin", source)
    site = tmp_path / "site"
    install = ["pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--target", str(site), str(source)]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True, timeout=120)
    env = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_acme.py"],
        cwd=shutil.copytree(
            source, tmp_path / "run", ignore=shutil.ignore_patterns("acme*", "build", "pyproject.toml")
        ),
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    listed = subprocess.run(
        [sys.executable, "-m", "remora", "plugins", "--json"], env=env, capture_output=True, text=True, timeout=60
    )
    assert '"acme"' in listed.stdout
