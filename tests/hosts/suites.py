"""Which libraries' own test suites ride along, what each needs to run, and what shows that Remora was in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Suite:
    """The tests of one library, as its sdist carries them.

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
    longest_s=1200,
    doubles=True,
)  # fmt: skip

IN_EVERY_RUN = (FLASK, WERKZEUG, REQUESTS, HTTPX, STARLETTE, URLLIB3)
NIGHTLY = (AIOHTTP,)  # takes as long as all the others together: `python tests/hosts nightly`
BY_NAME = {suite.library: suite for suite in (*IN_EVERY_RUN, *NIGHTLY)}
