"""`collect()`: a plugin that fails while it describes a call fails the test, and names the plugin's own line."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from core.cli.distributions import SitePackages
from support.processes import Finished, run_python

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = """
def send(url, password=None):
    return 200
"""
CALL = """
from remora.conventions.http_client import HttpClientCall

def patch(library, patcher):
    patcher.wrap(library, "send", reads=_request, ends=_response)
"""
GOOD_READS = """
def _request(url, password=None):
    return HttpClientCall("GET", url)
"""
GOOD_ENDS = """
def _response(call, status):
    call.status = status
"""
TEST = """
import fakelib
from remora.testing import collect
try:
    with collect() as spans:
        {call}
except AssertionError as failure:
    print(type(failure).__name__)
    print(failure)
else:
    print("passed", [span.name for span in spans])
"""


@pytest.fixture
def site(tmp_path: Path) -> SitePackages:
    made = SitePackages(tmp_path / "site")
    made.install_remora()
    made.install("fakelib", "1.4")
    made.install_plugin("fakelib>=1,<2")
    (made.folder / "fakelib.py").write_text(LIBRARY)
    return made


def _tested(site: SitePackages, plugin: str, call: str = "fakelib.send('http://shop/')") -> Finished:
    (site.folder / "acme_patches.py").write_text(plugin)
    done = run_python(TEST.format(call=call), env={"PYTHONPATH": str(site.folder)}, launched=False)
    assert done.exit_code == 0, done.stderr
    return done


def _line_of(plugin: str, text: str) -> int:
    return next(number for number, line in enumerate(plugin.splitlines(), 1) if text in line)


def test_a_plugin_that_describes_its_calls_passes(site: SitePackages) -> None:
    assert _tested(site, CALL + GOOD_READS + GOOD_ENDS).stdout == "passed ['GET']\n"


@pytest.mark.parametrize(
    ("hook", "plugin", "marked", "told"),
    [
        (
            "reads",
            CALL + GOOD_ENDS + "\ndef _request(url, password=None):\n    return HttpClientCall('GET', url.address)\n",
            "url.address",
            "AttributeError: 'str' object has no attribute 'address'",
        ),
        (
            "ends",
            CALL + GOOD_READS + "\ndef _response(call, status):\n    call.status = status['code']\n",
            "status['code']",
            "TypeError: 'int' object is not subscriptable",
        ),
        (
            "reads",
            CALL + GOOD_ENDS + "\ndef _request(connection, url):\n    return HttpClientCall('GET', url)\n",
            "def _request",
            "TypeError: _request() missing 1 required positional argument: 'url'",
        ),
        (
            "patch",
            CALL.replace("ends=_response)", "ends=_response)\n    patcher.before(library, 'send', print)")
            + GOOD_READS
            + GOOD_ENDS,
            "patcher.before",
            "PatchedTwiceError: fakelib.send is patched by this plugin already",
        ),
    ],
)
def test_a_fault_fails_the_test_with_plugin_hook_cause_and_the_plugin_s_line(
    hook: str, plugin: str, marked: str, told: str, site: SitePackages
) -> None:
    kind, failure = _tested(site, plugin).stdout.splitlines()
    assert kind == "PluginFaultError"
    assert failure.startswith(f"plugin fakelib: fault in {hook}: {told}")
    assert failure.endswith(f" at {site.folder}/acme_patches.py:{_line_of(plugin, marked)}")


def test_the_cause_is_told_without_the_secrets_it_quotes(site: SitePackages) -> None:
    reads = textwrap.dedent(
        """
        def _request(url, password=None):
            raise ValueError(f"cannot read password={password}")
        """
    )
    done = _tested(site, CALL + reads + GOOD_ENDS, "fakelib.send('http://shop/', 'hunter2')")
    assert "ValueError: cannot read password=REDACTED" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_a_test_that_fails_by_itself_keeps_its_own_failure(site: SitePackages) -> None:
    plugin = CALL + "\n_request = _response = None\n"
    done = _tested(site, plugin, "fakelib.send('http://shop/'); assert False, 'my own'")
    assert done.stdout == "AssertionError\nmy own\n"
