"""Bottle: an application mounted in another as plain WSGI matches once more, for the rest of the path."""

from __future__ import annotations

from remora.conventions.environ import environ_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.http_server import HttpServerCall

_MOUNTED = "/<:re:.*>"  # what a rule that Bottle makes for a mounted application ends with


def patch(bottle: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(bottle.Bottle, "__call__", reads=environ_call, streams=True)
    patcher.learn(bottle.Router, "match", _matched)
    patcher.learn(bottle.Bottle, "_handle", _handled)


def _matched(call: HttpServerCall, match: Any, *_: Any, **__: Any) -> None:
    rule = match[0].rule
    if call.route is None:
        call.route = rule
    elif isinstance(call.route, str) and call.route.endswith(_MOUNTED):
        call.route = f"{call.route.removesuffix(_MOUNTED)}{rule}"


def _handled(call: HttpServerCall, answer: Any, *_: Any, **__: Any) -> None:
    exception = getattr(answer, "exception", None)  # of an HTTPError
    if isinstance(exception, BaseException) and answer.status_code >= 500:
        call.exception = exception
