"""OpenTelemetry instrumentors as guests: armed when their library is imported, and never beside a plugin of ours."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from remora.host import rows
from remora.host.foreign import Guest, same_library
from remora.host.host import Host
from remora.host.importnames import import_names
from remora.host.installed import Distribution, EntryPoint, Installed
from remora.host.manifest import Instrumentation

INSTRUMENTOR = """
    import {library}

    class Instrumentor:
        is_instrumented_by_opentelemetry = False
        calls = []

        def instrument(self, **how):
            type(self).calls.append(how)
            {library}.answer = lambda: "by the guest"
            self.is_instrumented_by_opentelemetry = True
            {trouble}

        def uninstrument(self):
            del {library}.answer
"""


@pytest.fixture
def guest(site: Any) -> Any:
    """Installs an instrumentor for a library, and the library."""

    def install(
        library: str = "acme",
        requires: tuple[str, ...] = ("acme>=2,<3; extra == 'instruments'",),
        version: str | None = "2.5",
        trouble: str = "",
    ) -> None:
        site.module(f"{library}.__init__")
        site.module(f"otel_{library}.__init__")
        site.module(f"otel_{library}.instrumentor", INSTRUMENTOR.format(library=library, trouble=trouble))
        if version is not None:
            site.install(library, version)
        site.install(
            f"opentelemetry-instrumentation-{library}",
            requires=("opentelemetry-api", *requires),
            entry_points={"opentelemetry_instrumentor": {library: f"otel_{library}.instrumentor:Instrumentor"}},
        )

    return install


@pytest.fixture
def armed(site: Any, hooks: Any, patchers: Any, settings: Any) -> Any:
    """A host armed with what is installed in the site."""

    def arm(**chosen: Any) -> Host:
        host = Host(Installed([str(site.folder)]), hooks)
        host.arm(settings(**chosen), patchers)
        return host

    return arm


def row_of(host: Host, name: str, kind: str = rows.GUEST) -> Any:
    return next(row for row in host.report() if (row.name, row.kind) == (name, kind))


def calls(library: str = "acme") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sys.modules[f"otel_{library}.instrumentor"].Instrumentor.calls
    return found


def test_a_guest_waits_for_its_library_and_is_instrumented_once(guest: Any, armed: Any) -> None:
    guest()
    host = armed()
    assert "otel_acme.instrumentor" not in sys.modules
    assert row_of(host, "acme").reason == "not imported: acme"
    acme = importlib.import_module("acme")
    importlib.reload(acme)
    assert calls() == [{"skip_dep_check": True}]
    row = row_of(host, "acme")
    assert (row.state, row.version, row.supports) == (rows.PATCHED, "2.5", ("acme>=2,<3",))


def test_a_guest_yields_to_a_plugin_for_the_same_library(guest: Any, armed: Any, manifest: Any) -> None:
    guest()
    manifest(NATIVE)
    host = armed()
    importlib.import_module("acme")
    row = row_of(host, "acme")
    assert (row.state, row.reason) == (rows.DISABLED, "the plugin acme takes care of this library")
    assert row_of(host, "acme", rows.PLUGIN).state == rows.UNTESTED
    assert "otel_acme" not in sys.modules


NATIVE = """
    from remora.api import Instrumentation, hookimpl

    @hookimpl
    def instrumentations():
        hooks = {"acme": "acme_manifest:patch"}
        return [Instrumentation("acme", supports=("acme>=1,<2",), hooks=hooks, convention="c")]

    def patch(library, patcher):
        pass
"""


def test_a_guest_may_ride_where_our_plugin_is_switched_off_by_kind(guest: Any, armed: Any, manifest: Any) -> None:
    guest()
    manifest(NATIVE)
    host = armed(disabled=["plugin:acme"])
    importlib.import_module("acme")
    assert row_of(host, "acme").state == rows.PATCHED
    assert row_of(host, "acme", rows.PLUGIN).state == rows.DISABLED


@pytest.mark.parametrize(
    "chosen",
    [{"disabled": ["acme"]}, {"disabled": ["*"]}, {"disabled": ["guest:*"]}, {"instrumentations": ["flask"]}],
)
def test_the_lists_of_names_hold_for_guests(guest: Any, armed: Any, chosen: Any) -> None:
    guest()
    host = armed(**chosen)
    importlib.import_module("acme")
    assert row_of(host, "acme").state == rows.DISABLED
    assert "otel_acme" not in sys.modules


@pytest.mark.parametrize(
    ("version", "state", "reason"),
    [
        ("1.9", rows.REFUSED, "acme 1.9 is older than the tested range acme>=2,<3"),
        ("3.0", rows.UNTESTED, "acme 3.0 is newer than the tested range acme>=2,<3"),
        (None, rows.UNTESTED, "its version is unknown: no installed distribution is called acme"),
    ],
)
def test_versions_are_judged_as_for_plugins(
    guest: Any, armed: Any, version: str | None, state: str, reason: str
) -> None:
    guest(version=version)
    host = armed()
    importlib.import_module("acme")
    assert (row_of(host, "acme").state, row_of(host, "acme").reason) == (state, reason)
    assert ("otel_acme.instrumentor" in sys.modules) == (state != rows.REFUSED)


@pytest.mark.parametrize("trouble", ["raise ValueError('boom')", "raise BaseException('boom')"])
def test_a_guest_that_fails_is_uninstrumented_and_told(
    guest: Any, armed: Any, capfd: pytest.CaptureFixture[str], trouble: str
) -> None:
    guest(trouble=trouble)
    host = armed()
    acme = importlib.import_module("acme")
    assert not hasattr(acme, "answer")
    assert row_of(host, "acme").state == rows.FAILED
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert "guest acme of acme = otel_acme.instrumentor:Instrumentor of opentelemetry-instrumentation-acme" in said[0]
    assert "boom" in said[0]


def test_a_guest_that_does_not_load_is_told_and_the_others_ride(
    guest: Any, armed: Any, site: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    guest()
    guest("other", requires=("other; extra == 'instruments'",), version="1")
    site.module("otel_acme.instrumentor", "import needs_this_too")
    host = armed()
    importlib.import_module("acme")
    importlib.import_module("other")
    assert row_of(host, "acme").state == rows.FAILED
    assert "No module named 'needs_this_too'" in capfd.readouterr().err
    assert row_of(host, "other").state == rows.PATCHED


def test_an_instrumentor_that_the_program_imports_itself_is_left_to_it(guest: Any, armed: Any) -> None:
    guest()
    host = armed()
    module = importlib.import_module("otel_acme.instrumentor")
    assert module.Instrumentor.calls == []
    assert row_of(host, "acme").state == rows.DISABLED
    assert "imports otel_acme.instrumentor itself" in row_of(host, "acme").reason


def test_a_guest_waits_while_the_program_is_in_the_middle_of_importing_what_it_needs(
    guest: Any, armed: Any, site: Any
) -> None:
    """``import opentelemetry`` imports logging; its instrumentor would find half of opentelemetry."""
    guest()
    site.module("otel_acme.__init__", "import acme\nREADY = True")
    site.module("otel_acme.instrumentor", "from otel_acme import READY\n" + "\n".join(_dedented()))
    site.module("anything_else")
    host = armed()
    importlib.import_module("otel_acme")
    assert row_of(host, "acme").reason == "waits until otel_acme is imported whole"
    importlib.import_module("anything_else")
    assert row_of(host, "acme").state == rows.PATCHED


def _dedented() -> list[str]:
    return [line[4:] for line in INSTRUMENTOR.format(library="acme", trouble="").splitlines()]


def test_two_instrumentors_in_one_module_both_ride(site: Any, guest: Any, armed: Any) -> None:
    guest()
    info = site.folder / "opentelemetry_instrumentation_acme-1.0.dist-info"
    lines = "[opentelemetry_instrumentor]\nacme_client = otel_acme.instrumentor:Instrumentor\n"
    (info / "entry_points.txt").write_text(lines + "acme_server = otel_acme.instrumentor:Instrumentor\n")
    host = armed()
    importlib.import_module("acme")
    assert len(calls()) == 2
    assert {row.state for row in host.report()} == {rows.PATCHED}


def entry_point(name: str, requires: tuple[str, ...], site: Any) -> EntryPoint:
    info = site.install(f"opentelemetry-instrumentation-{name}", requires=requires)
    return EntryPoint(name, f"otel.{name}:I", "opentelemetry_instrumentor", Distribution(f"o-{name}", str(info), None))


@pytest.mark.parametrize(
    ("name", "requires", "all_of", "any_of", "targets"),
    [
        ("sqlite3", (), (), (), ("sqlite3",)),
        ("urllib", (), (), (), ("urllib.request",)),
        ("something-new", (), (), (), ("something_new",)),
        ("acme", ("acme~=2.0; extra == 'instruments'",), ("acme~=2.0",), (), ("acme",)),
        ("acme", ('acme (<3,>=2) ; extra == "instruments"',), ("acme (<3,>=2)",), (), ("acme",)),
        (
            "acme",
            (
                "acme; python_version >= '3' and extra == 'instruments'",
                "acme; python_version < '3' and extra == 'instruments'",
            ),
            ("acme",),
            (),
            ("acme",),
        ),
        (
            "kafka",
            (
                "kafka-python<3; extra == 'instruments-any'",
                "kafka-ng; extra == 'instruments-any'",
                "x; extra == 'test'",
            ),
            (),
            ("kafka-python<3", "kafka-ng"),
            ("kafka_ng", "kafka_python"),
        ),
        (
            "tortoiseorm",
            ("pydantic; extra == 'instruments'", "tortoise-orm; extra == 'instruments'"),
            ("pydantic", "tortoise-orm"),
            (),
            ("tortoise_orm",),
        ),
    ],
)
def test_what_a_guest_waits_for_is_read_from_its_metadata(
    site: Any, name: str, requires: Any, all_of: Any, any_of: Any, targets: Any
) -> None:
    guest = Guest(entry_point(name, requires, site), Installed([str(site.folder)]))
    assert (guest.all_of, guest.any_of, guest.targets) == (all_of, any_of, targets)


def test_import_names_come_from_what_the_distribution_contains(site: Any) -> None:
    site.module("plain.__init__")
    site.module("psycopg2.__init__")
    site.module("lonely")
    site.module("space.inner.__init__")
    site.install("Plain")
    site.install("psycopg2-binary", top_level=["psycopg2", "_hidden", "tests"])
    site.install("lonely-dist", record=["lonely.py", "lonely_dist-1.0.dist-info/RECORD", "../../bin/lonely"])
    site.install(
        "space-inner-dist", top_level=["space"], record=["space/inner/__init__.py", "space/inner/a/__init__.py"]
    )
    site.install("empty-dist")
    known = Installed([str(site.folder)]).distributions()
    names = ("plain", "psycopg2-binary", "lonely-dist", "space-inner-dist", "empty-dist", "not-there")
    assert {name: import_names(name, known.get(name)) for name in names} == {
        "plain": ("plain",),
        "psycopg2-binary": ("psycopg2",),
        "lonely-dist": ("lonely",),
        "space-inner-dist": ("space.inner",),
        "empty-dist": ("empty_dist",),
        "not-there": ("not_there",),
    }


@pytest.mark.parametrize(
    ("guest_name", "library", "native", "same"),
    [
        ("flask", "flask", ("flask", "flask>=2", "flask.app", "http.server"), True),
        ("aiohttp-client", "aiohttp", ("aiohttp_client", "aiohttp>=3", "aiohttp.client", "http.client"), True),
        ("aiohttp-server", "aiohttp", ("aiohttp_client", "aiohttp>=3", "aiohttp.client", "http.client"), False),
        ("kafka", "kafka-python", ("kafka_python", "kafka-python>=2", "kafka.client", "messaging"), True),
        ("urllib", "", ("urllib3", "urllib3>=1", "urllib3.connectionpool", "http.client"), False),
        ("urllib", "", ("standard_client", "", "urllib.request", "http.client"), True),
        ("redis", "redis", ("flask", "flask>=2", "flask.app", "http.server"), False),
    ],
)
def test_which_guest_does_the_same_as_which_plugin(
    site: Any, guest_name: str, library: str, native: tuple[str, str, str, str], same: bool
) -> None:
    requires = (f"{library}; extra == 'instruments'",) if library else ()
    guest = Guest(entry_point(guest_name, requires, site), Installed([str(site.folder)]))
    name, supports, module, convention = native
    plugin = Instrumentation(
        name, supports=(supports,) if supports else (), hooks={module: "p:f"}, convention=convention
    )
    assert same_library(guest, plugin) == same
