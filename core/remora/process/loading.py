"""Importing late without harm: no fork comes in between.

A child forked while another thread imports a module inherits that module's import lock, held by a thread it does not
have, and waits for ever at its own first import of it. What we import while the program already runs is imported under
one lock of ours, which the forking thread takes first.
"""

from __future__ import annotations

from _thread import RLock, get_ident

from remora.process import fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

# An import that waits for a thread that waits for us must not stop the program's fork for long.
_PATIENCE_S = 1.0


class _Loading:
    """``with loading:`` around imports on the program's threads or the worker's; may be nested."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._forking: set[int] = set()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()

    def before_fork(self) -> None:
        if self._lock.acquire(timeout=_PATIENCE_S):
            self._forking.add(get_ident())

    def after_fork(self) -> None:
        if get_ident() in self._forking:
            self._forking.discard(get_ident())
            self._lock.release()

    def in_child(self) -> None:
        self._lock = RLock()
        self._forking.clear()


loading = _Loading()


def watch() -> None:
    """From now on forks wait for imports under way."""
    fork.around_fork(loading.before_fork, loading.after_fork)
    fork.on_fork_child(loading.in_child)
