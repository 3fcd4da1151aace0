"""FastAPI's own telemetry, from 0.145: spans and metrics of each request for whatever global provider there is.

Where that is ours they would come twice. The spans inside a request are made for those who ask for them by name, by
``FastAPI(telemetry={"operation_spans": True})``: every application has them on that did not say so.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary, WeakSet

from remora.conventions.native import comes_to_us
from remora_plugins.http import one_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora_plugins.http.asgi import Scope

    Application = Callable[..., Any]

_IN_SCOPE = "fastapi.telemetry"

_asking: WeakSet[object] = WeakSet()  # applications that want spans inside


def patch(applications: ModuleType, patcher: Patcher) -> None:
    patcher.before(applications.FastAPI, "__init__", _made)


def patch_native(native: ModuleType, patcher: Patcher) -> None:
    stand_ins: WeakKeyDictionary[Any, tuple[tuple[Any, ...], Any]] = WeakKeyDictionary()

    def standing_in(telemetry: Any) -> Any:
        """FastAPI's telemetry without what comes to us, made once for each application; None: it goes on as it is."""
        config = telemetry.config
        tracers = config["tracing"] and (config["tracer_provider"] or native.trace.get_tracer_provider())
        meters = config["metrics"] and (config["meter_provider"] or native.metrics.get_meter_provider())
        known = stand_ins.get(telemetry)
        if known is not None and known[0][0] is tracers and known[0][1] is meters:
            return known[1]
        tracing, metrics = bool(tracers) and comes_to_us(tracers), bool(meters) and comes_to_us(meters)
        quiet = None
        if tracing or metrics:
            theirs = {"tracing": config["tracing"] and not tracing, "metrics": config["metrics"] and not metrics}
            quiet = type(telemetry)({**config, **theirs})
        stand_ins[telemetry] = ((tracers, meters), quiet)
        return quiet

    def serve(original: Application, telemetry: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            quiet = standing_in(telemetry)
            if quiet is None or quiet.config["tracing"]:
                one_trace.next_request_joins(telemetry.config["tracer_provider"], native)
            if quiet is None:
                return original(*args, **kwargs)
            tracing = telemetry.config["tracing"] and not quiet.config["tracing"]
            if tracing and not kwargs.get("legacy_otel") and kwargs["scope"]["app"] in _asking:
                kwargs = {**kwargs, "app": _with_operations(native, telemetry.config, kwargs["app"])}
        except Exception as error:
            patcher.operations.fault("telemetry", error)
            return original(*args, **kwargs)
        return quiet(*args, **kwargs)

    patcher.around_method(native.NativeTelemetry, "__call__", serve)
    one_trace.patch(native, patcher)


def _made(app: object, *_: object, telemetry: Any = None, **__: object) -> None:
    if telemetry and telemetry.get("operation_spans"):
        _asking.add(app)


def _with_operations(native: ModuleType, config: Any, application: Application) -> Application:
    """The application, which finds a tracer for the spans inside a request where FastAPI looks for it."""
    provider = config["tracer_provider"] or native.trace.get_tracer_provider()
    tracer = provider.get_tracer("fastapi", native.__version__)
    context = native.otel_context
    made, key = native._RequestTelemetry, native._REQUEST_TELEMETRY_KEY

    async def inside(scope: Scope, receive: Any, send: Any) -> None:
        if _IN_SCOPE in scope:
            if scope[_IN_SCOPE] is not None:  # the program excluded this request
                scope[_IN_SCOPE].tracer = tracer
            await application(scope, receive, send)
            return
        told = made(span=None, span_method="", tracer=tracer)
        scope[_IN_SCOPE] = told
        token = context.attach(context.set_value(key, told))
        try:
            await application(scope, receive, send)
        finally:
            told.data = None
            context.detach(token)
            scope.pop(_IN_SCOPE, None)

    return inside
