"""Child processes join the trace of their caller, by TRACEPARENT in the environment or what multiprocessing sends."""

from __future__ import annotations

import os

from remora.process.guard import quietly
from remora.process.substitutes import original, posing_as, substitute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

_TRACE_VARIABLES = ("TRACEPARENT", "TRACESTATE", "BAGGAGE")
_PREPARATION_KEY = "remora_trace"
_HEX = frozenset("0123456789abcdef")


def _nothing() -> dict[str, str]:
    return {}


def _nobody(_headers: dict[str, str]) -> None:
    pass


_headers: Callable[[], dict[str, str]] = _nothing
_receive: Callable[[dict[str, str]], object] = _nobody


def carry(headers: Callable[[], dict[str, str]], receive: Callable[[dict[str, str]], object] = _nobody) -> None:
    """``headers()`` are the variables that tell a child of the current span (TRACEPARENT, ...); {} when there is none.

    In a child that multiprocessing spawned, ``receive`` gets what its parent's ``headers()`` were, before its work.
    """
    global _headers, _receive
    _headers, _receive = headers, receive


def inherited(environ: Mapping[str, str]) -> str | None:
    """The TRACEPARENT that a caller left us, if it is one by the W3C's rules."""
    traceparent = environ.get("TRACEPARENT", "").strip()
    version, _, rest = traceparent.partition("-")
    trace_id, _, rest = rest.partition("-")
    span_id, _, rest = rest.partition("-")
    flags = rest.partition("-")[0] if version != "00" else rest
    for part, length in ((version, 2), (trace_id, 32), (span_id, 16), (flags, 2)):
        if len(part) != length or not _HEX.issuperset(part):
            return None
    if version == "ff" or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return traceparent


def environment(env: Any) -> Any:
    """``env`` (None: our own) with the current span's variables, as a copy; ``env`` itself if there is no span.

    A TRACEPARENT that the program chose for the child stays; one merely copied from our own environment does not.
    """
    carried = quietly("children: environment", _environment, env)
    return env if carried is None else carried


def _environment(env: Any) -> dict[Any, Any] | None:
    headers = _headers()
    if not headers:
        return None
    carried: dict[Any, Any] = dict((os.environ if env is None else env).items())
    if env is not None:
        for name in [name for name in carried if os.fsdecode(name) in {*_TRACE_VARIABLES, *headers}]:
            if os.fsdecode(carried[name]) != os.environ.get(os.fsdecode(name)):
                return None
            del carried[name]  # it may be spelled in bytes, and would then be there twice
    for name in _TRACE_VARIABLES:
        carried.pop(name, None)
    carried.update(headers)
    return carried


def patch_subprocess(module: ModuleType) -> None:
    """``Popen._execute_child``: behind the public signature, and ahead of fork, vfork and posix_spawn alike."""
    theirs = module.Popen._execute_child
    position = theirs.__code__.co_varnames.index("env") - 1  # self

    @posing_as(theirs)
    def _execute_child(self: Any, *arguments: Any, **keywords: Any) -> Any:
        if len(arguments) > position:
            carried = environment(arguments[position])
            arguments = (*arguments[:position], carried, *arguments[position + 1 :])
        elif "env" in keywords:
            keywords["env"] = environment(keywords["env"])
        return theirs(self, *arguments, **keywords)

    substitute(module.Popen, "_execute_child", _execute_child)


class _Spawn:
    """Bound methods, as in ways_out."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return __import__, ("os",)

    def posix_spawn(self, path: Any, argv: Any, env: Any, /, **options: Any) -> Any:
        return original(os, "posix_spawn")(path, argv, environment(env), **options)

    def posix_spawnp(self, path: Any, argv: Any, env: Any, /, **options: Any) -> Any:
        return original(os, "posix_spawnp")(path, argv, environment(env), **options)


def patch_os(module: ModuleType) -> None:
    """``posix_spawn`` and ``posix_spawnp``; ways_out sees to forked children that call exec, as ``os.spawn*`` does."""
    for name in ("posix_spawn", "posix_spawnp"):
        if hasattr(module, name):
            ours = getattr(_Spawn(), name)
            posing_as(getattr(module, name))(ours.__func__)
            substitute(module, name, ours)


def patch_multiprocessing_spawn(module: ModuleType) -> None:
    """``multiprocessing.spawn``: its children are no forks of the caller, but get a dict of preparations from it.

    A child without Remora ignores what it does not know in there.
    """
    theirs_get, theirs_prepare = module.get_preparation_data, module.prepare

    @posing_as(theirs_get)
    def get_preparation_data(name: str) -> Any:
        data = theirs_get(name)
        headers = quietly("children: multiprocessing", _headers)
        if headers:
            data[_PREPARATION_KEY] = headers
        return data

    @posing_as(theirs_prepare)
    def prepare(data: Any) -> Any:
        headers = data.pop(_PREPARATION_KEY, None)
        if headers:
            quietly("children: multiprocessing", _receive, headers)
        return theirs_prepare(data)

    substitute(module, "get_preparation_data", get_preparation_data)
    substitute(module, "prepare", prepare)
