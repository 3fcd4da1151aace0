"""What the program says its next HTTP requests are called; it travels as the context does, into tasks too."""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

_current: ContextVar[str | None] = ContextVar("remora-url-template", default=None)
_waiting: list[Callable[[], None]] = []

current = _current.get


def when_used(callback: Callable[[], None]) -> None:
    """Calls back when a template is set for the first time: until then nobody has to ask for one."""
    _waiting.append(callback)


class UrlTemplate:
    """A ``with`` block whose HTTP requests are of one kind; blocks may be nested, the inner one counts."""

    __slots__ = ("_template", "_tokens")

    def __init__(self, template: str) -> None:
        self._template = template
        self._tokens: list[Token[str | None]] = []

    def __enter__(self) -> None:
        if _waiting:
            told, _waiting[:] = tuple(_waiting), []
            for callback in told:  # two threads at once tell it twice, which does no harm
                callback()
        self._tokens.append(_current.set(self._template))

    def __exit__(self, *_: object) -> None:
        try:
            _current.reset(self._tokens.pop())
        except ValueError:
            _current.set(None)  # left in another context than it was entered in
