"""Runs a suite once, by itself or under `remora run`, and reads what became of each of its tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from support.processes import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hosts.preparing import Prepared

# The library's own choices of what is shown and which warnings fail are those of its developers' versions of things.
_PYTEST = ("pytest", "-p", "no:cacheprovider", "-o", "addopts=", "-o", "filterwarnings=ignore", "-q", "--tb=short")


@dataclass
class Run:
    """``outcomes``: by test, "passed", "failed", "error", "skipped", "xfailed", or two of them (a teardown can fail a
    test that passed). ``details``: what pytest had to say of those that did not pass. ``exit_code`` is pytest's.
    ``status`` is what Remora reported of pytest's process at its end, None without it.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    exit_code: int | None = None
    output: str = ""
    duration_s: float = 0.0
    status: dict[str, Any] | None = None

    def count(self, outcome: str) -> int:
        return sum(1 for one in self.outcomes.values() if one == outcome)

    @property
    def state_of_libraries(self) -> dict[str, str]:
        return {row["name"]: row["state"] for row in (self.status or {}).get("libraries", ())}

    @property
    def books(self) -> dict[str, Any]:
        """Of spans: produced, exported, stored, queued, dropped, balanced."""
        books: dict[str, Any] = (self.status or {}).get("books", {}).get("traces", {})
        return books

    @property
    def faults(self) -> dict[str, str]:
        """What went wrong in plugins."""
        rows = (self.status or {}).get("libraries", ())
        return {row["name"]: str(row["last_fault"]) for row in rows if row["faults"]}

    @property
    def said(self) -> list[str]:
        """What Remora said on stderr, however far that was captured by pytest."""
        return [one["message"] for one in (self.status or {}).get("said", ())]


def run(prepared: Prepared, *, ridden: bool, options: tuple[str, ...] = ()) -> Run:
    """One run in a fresh copy of the source tree; ``options`` are more words for pytest."""
    suite = prepared.suite
    with suite.serves() as served, tempfile.TemporaryDirectory(prefix=f"remora-hosts-{suite.library}-") as name:
        folder = Path(name)
        tree = prepared.unpack(folder / "source")
        env = {
            "PATH": f"{prepared.bin}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(prepared.bin.parent),
            "XDG_STATE_HOME": str(folder / "state"),
            **served.env,
        }
        launch: tuple[str, ...] = ()
        if ridden:
            launch = (str(prepared.bin / "python"), "-m", "remora", "run")
            env["REMORA_STATUS_FILE"] = str(folder / "status.json")
            if suite.doubles:
                env["REMORA_QUARANTINE_AFTER"] = "1000000"
        apart = {"OTEL_PROPAGATORS": "none"}
        if not suite.propagates:
            env |= apart
        done = Run()
        started_s = time.monotonic()
        left_out = [word for node in (*suite.leaves_out, *suite.counts_headers) for word in ("--deselect", node)]
        words = (*launch, *_PYTEST, *suite.options, *served.options, *options)
        done.exit_code, done.output = _to_its_end(
            (*words, *left_out, *suite.tests.split()), env, tree, folder, suite.longest_s, done
        )
        done.status = _status(folder)
        if suite.counts_headers and not options:
            _to_its_end((*words, *suite.counts_headers), {**env, **apart}, tree, folder, suite.longest_s, done)
        done.duration_s = time.monotonic() - started_s
        return done


def _status(folder: Path) -> dict[str, Any] | None:
    path = folder / "status.json"
    return json.loads(path.read_text()) if path.exists() else None


def read_junit(text: str, tree: Path, into: Run) -> None:
    """What pytest's JUnit file says of each test. One that failed and then could not be torn down stands there twice.

    ``tree`` is where the sources are, which some tests have in their names.
    """
    outcomes: dict[str, set[str]] = defaultdict(set)
    for case in ET.fromstring(text).iter("testcase"):
        test = f"{case.get('classname')}::{case.get('name')}".removeprefix("::").replace(str(tree), "SOURCE")
        outcomes[test].update(_outcomes(case))
        for verdict in case:
            if verdict.tag in ("failure", "error", "skipped"):
                into.details[test] = f"{verdict.get('message') or ''}\n{verdict.text or ''}".strip()
    into.outcomes.update({test: "+".join(sorted(found)) for test, found in outcomes.items()})


def _outcomes(case: ET.Element) -> set[str]:
    found = set()
    for verdict in case:
        if verdict.tag == "failure":
            found.add("failed")
        elif verdict.tag == "error":
            found.add("error")
        elif verdict.tag == "skipped":
            found.add("xfailed" if verdict.get("type") == "pytest.xfail" else "skipped")
    return found or {"passed"}


def _to_its_end(
    command: tuple[str, ...], env: Mapping[str, str], tree: Path, folder: Path, longest_s: float, into: Run
) -> tuple[int | None, str]:
    """Exit code and what was printed; the code is None for one that had to be killed, with all it started."""
    output, junit = folder / "output", folder / "junit.xml"
    junit.unlink(missing_ok=True)
    with output.open("wb") as printed:
        process = subprocess.Popen(
            (*command, f"--junitxml={junit}"),
            env=environment(launched=False, env=env),
            cwd=tree,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        exit_code: int | None = None
        try:
            exit_code = process.wait(longest_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)  # development servers that a failed test left
            except ProcessLookupError:
                pass
            process.wait()
    if junit.exists():
        read_junit(junit.read_text(), tree, into)
    return exit_code, output.read_text(errors="backslashreplace")
