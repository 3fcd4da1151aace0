"""Which libraries' own test suites ride along, what each needs to run, and what shows that Remora was in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hosts import serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


@dataclass(frozen=True)
class Suite:
    """The tests of one library, as its sdist carries them.

    ``part`` tells suites of one library from each other.
    ``tests`` are its folders and files, with blanks between; ``serves`` gives them the servers they talk to.
    ``needs`` is installed beside the library: what its developers install, except what only measures or formats.
    ``patched`` are instrumentations that must have been at work, ``spans`` the least number that must be produced.
    ``leaves_out`` are node ids of tests that are not run. ``counts_headers`` of tests to which one more header
    in a request makes a difference: ours, ``traceparent``, is there on purpose, so they run without propagation. Where
    there are too many of them to name, ``propagates`` is False, and all do.
    ``alone``: two runs at a time would be in each other's way. ``longest_s``: a run that takes longer hangs.
    ``doubles``: its tests hand mocks to the library's own code; plugins fail on those, and stay in it all the same.
    """

    library: str
    needs: tuple[str, ...]
    patched: tuple[str, ...]
    spans: int
    tests: str = "tests"
    extras: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    leaves_out: tuple[str, ...] = ()
    counts_headers: tuple[str, ...] = ()
    propagates: bool = True
    alone: bool = False
    longest_s: float = 240
    doubles: bool = False
    serves: Callable[[], AbstractContextManager[serving.Served]] = serving.nothing
    part: str = ""

    @property
    def name(self) -> str:
        return f"{self.library}-{self.part}" if self.part else self.library


FLASK = Suite(
    "flask",
    needs=("asgiref", "greenlet", "pytest<9.1", "python-dotenv"),  # it imports a private name of pytest
    patched=("flask", "threading", "futures"),
    spans=300,
)

WERKZEUG = Suite(
    "werkzeug",
    # watchdog 7 answers an overflow of its queue by reading all folders, which overflows it again, for ever.
    needs=("cffi", "cryptography", "ephemeral-port-reserve", "pytest", "pytest-timeout", "watchdog<7"),
    patched=("threading", "http.client"),  # the client of its tests; the served applications are other processes
    spans=80,
)

REQUESTS = Suite(
    "requests",
    needs=("httpbin~=0.10.0", "pytest", "pytest-httpbin==2.1.0", "pytest-mock", "trustme"),
    extras=("socks",),
    patched=("requests", "urllib3", "flask", "wsgiref"),  # the last two serve httpbin
    spans=400,
    leaves_out=(
        # They connect to 10.255.255.1, which is none of the tester's addresses.
        "tests/test_requests.py::TestTimeout::test_connect_timeout",
        "tests/test_requests.py::TestTimeout::test_total_timeout_connect",
    ),
    # It expects to fail, which depends on where 512 bytes of an echoed request end.
    counts_headers=("tests/test_requests.py::TestRequests::test_response_iter_lines_reentrant",),
)

# Some of the tests below fail by themselves where there is no network, the same with Remora and without.
URLLIB3 = Suite(
    "urllib3",
    needs=(
        "anyio[trio]", "cryptography", "h2", "httpx", "hypercorn", "idna", "pyopenssl", "pysocks", "pytest",
        "pytest-socket", "pytest-timeout", "quart", "quart-trio", "trio", "trustme",
    ),
    extras=("socks", "h2", "zstd", "brotli"),
    patched=("urllib3",),
    spans=400,
    tests="test",
    # Its HTTPS tests go with other releases of their server than the current one.
    options=("--ignore=test/contrib", "--ignore=test/with_dummyserver/test_https.py"),
    propagates=False,
)  # fmt: skip

HTTPX = Suite(
    "httpx",
    needs=(
        "anyio[trio]", "brotli", "chardet", "cryptography", "h2", "pytest", "trustme", "uvicorn", "werkzeug",
        "zstandard",
    ),
    extras=("socks", "http2", "cli", "brotli", "zstd"),
    patched=("httpx", "uvicorn"),
    spans=400,
    options=("-m", "not network"),
    propagates=False,
    alone=True,  # its server always listens on port 8000
)  # fmt: skip

STARLETTE = Suite(
    "starlette",
    needs=(
        "blockbuster",
        "httpx2[zstd]",
        "importlib-metadata",
        "opentelemetry-sdk",
        "pytest",
        "pytest-codspeed",
        "trio",
    ),
    extras=("full",),
    patched=("starlette", "httpx"),
    spans=400,
    propagates=False,
)  # fmt: skip

AIOHTTP = Suite(
    "aiohttp",
    needs=(
        "blockbuster", "freezegun", "gunicorn", "isal; python_version < '3.14'", "proxy.py>=2.4.4rc5", "pytest",
        "pytest-codspeed", "pytest-mock", "pytest-timeout", "trustme", "uvloop", "zlib-ng",
    ),
    extras=("speedups",),
    patched=("aiohttp-client", "aiohttp-server"),
    spans=400,
    # Those that only measure, and what its own addopts leave out.
    options=("--ignore-glob=*/test_benchmarks_*", "-m", "not dev_mode and not autobahn and not internal"),
    propagates=False,
    longest_s=5400,
    doubles=True,
)  # fmt: skip

REDIS = Suite(
    "redis",
    needs=("numpy", "packaging", "pybreaker", "pytest", "pytest-asyncio", "pytest-timeout", "redis-entraid", "ujson",
           "uvloop", "xxhash", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"),
    patched=("redis",),
    spans=400,
    # Most of the others are about what redis-py does before anything is sent, or about clusters and modules.
    tests="tests/test_pipeline.py tests/test_asyncio/test_pipeline.py tests/test_scripting.py",
    options=("-m", "not onlycluster and not ssl and not redismod and not replica and not cp_integration"),
    serves=serving.redis,
)  # fmt: skip

# psycopg's sdists have no tests, those of its predecessor have.
PSYCOPG2 = Suite(
    "psycopg2-binary",
    needs=("pytest",),
    patched=("psycopg2",),
    spans=400,
    leaves_out=(
        # What it asks for the class of is of a subclass: those of psycopg2 are C types that nobody can patch.
        "tests/test_connection.py::ConnectionTests::test_cursor_factory_none",
        # They stand in for the C function beneath ``connect`` and look at the class that it is handed.
        "tests/test_module.py::ConnectTestCase",
    ),
    serves=serving.postgresql_of_psycopg2,
)

# PyMySQL's sdists have one file of tests, for a MySQL that is set up for it.
SQLALCHEMY = Suite(
    "sqlalchemy",
    needs=("psycopg[binary]", "pytest"),
    patched=("sqlite3", "psycopg"),
    spans=400,
    # These are about connections, transactions and results.
    tests="test/engine/test_execute.py test/engine/test_transaction.py test/dialect/postgresql/test_query.py",
    serves=serving.sqlite_and_postgresql_of_sqlalchemy,
)

IN_EVERY_RUN = (FLASK, WERKZEUG, REQUESTS, HTTPX, STARLETTE, REDIS)
# These take longer than all the others together: `python tests/hosts nightly`
NIGHTLY = (
    URLLIB3,
    PSYCOPG2,
    SQLALCHEMY,
    AIOHTTP,
    replace(REDIS, part="commands", tests="tests/test_commands.py tests/test_asyncio/test_commands.py", longest_s=1200),
    replace(
        SQLALCHEMY,
        part="dialects",
        tests="test/engine test/dialect/sqlite test/dialect/postgresql",
        longest_s=3600,
    ),
)
BY_NAME = {suite.name: suite for suite in (*IN_EVERY_RUN, *NIGHTLY)}
