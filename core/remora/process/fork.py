"""What must happen when the process becomes two."""

from __future__ import annotations

import os
from _thread import get_ident

from remora.process.guard import quietly
from remora.process.substitutes import original, posing_as, substitute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_before: list[Callable[[], object]] = []
_in_parent: list[Callable[[], object]] = []
_in_child: list[Callable[[], object]] = []
_pid = 0
_first_pid = 0
_forking: dict[int, bool] = {}  # by thread: inside os.fork, and whether it owes the callbacks in the parent


def on_fork_child(callback: Callable[[], object]) -> None:
    """``callback()`` runs in every child made by fork, in the order of registration, before the program goes on."""
    _listen()
    _in_child.append(callback)


def around_fork(before: Callable[[], object], in_parent: Callable[[], object]) -> None:
    """``before()`` runs in the forking thread ahead of a fork, ``in_parent()`` behind it, also when it failed.

    From 3.12 on Python warns whoever forks while another thread lives, also a thread of ours: ``before`` is the time
    to let it go, and ``in_parent`` to start it anew.
    """
    _listen()
    if not _before:
        for name in ("fork", "forkpty"):
            substitute(os, name, getattr(_OS, name))
    _before.append(before)
    _in_parent.append(in_parent)


def forked() -> bool:
    """Is this the first call in a child that was forked behind Python's back (uWSGI and other C programs)?

    If so the callbacks have run now. Costs one getpid.
    """
    if _pid == 0 or os.getpid() == _pid:
        return False
    _after_in_child()
    return True


def is_child() -> bool:
    """Has this process been forked from the one that started us?"""
    return _pid != _first_pid


class _Os:
    """Bound methods, as in ways_out. 3.13 counts threads after it ran its own hooks, so ours wait for the return."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return __import__, ("os",)

    @posing_as(os.fork)
    def fork(self) -> Any:
        return _and_then_in_parent(original(os, "fork"))

    @posing_as(os.forkpty)
    def forkpty(self) -> Any:
        return _and_then_in_parent(original(os, "forkpty"))


_OS = _Os()


def _and_then_in_parent(fork: Callable[[], Any]) -> Any:
    thread = get_ident()
    _forking[thread] = False
    try:
        return fork()
    finally:
        if _forking.pop(thread, False):
            _run_in_parent()


def _listen() -> None:
    global _pid, _first_pid
    if _pid:
        return
    _pid = _first_pid = os.getpid()
    os.register_at_fork(before=_ahead, after_in_parent=_after_in_parent, after_in_child=_after_in_child)


def _ahead() -> None:
    for callback in reversed(_before):
        quietly("fork: before", callback)


def _after_in_parent() -> None:
    thread = get_ident()
    if thread in _forking:
        _forking[thread] = True
    else:  # a fork by C, as of subprocess with a preexec_fn
        _run_in_parent()


def _run_in_parent() -> None:
    for callback in _in_parent:
        quietly("fork: in the parent", callback)


def _after_in_child() -> None:
    global _pid
    _pid = os.getpid()
    _forking.clear()
    for callback in _in_child:
        quietly("fork: in the child", callback)
