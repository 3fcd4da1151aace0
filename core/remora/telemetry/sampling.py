"""Samplers: the standard ones run inside the engine, all others through their SDK object."""

from __future__ import annotations

from remora import diagnostics
from remora.telemetry import readable
from remora.telemetry.spans_cy import CUSTOM, FOLLOW_PARENT, OFF, ON, RATIO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.settings import Settings
    from remora.telemetry.spans_cy import Engine, Frame, Span

_ROOT_MODES = {"always_on": ON, "always_off": OFF, "traceidratio": RATIO}


def apply(settings: Settings, engine: Engine) -> None:
    """Makes the engine sample as ``OTEL_TRACES_SAMPLER`` and ``OTEL_TRACES_SAMPLER_ARG`` say."""
    name = settings.traces_sampler
    root_name = name.removeprefix("parentbased_")
    mode = _ROOT_MODES.get(root_name)
    if mode is None:
        sampler = _installed_sampler(name, settings.traces_sampler_arg)
        if sampler is None:
            engine.root_mode, engine.child_mode = ON, FOLLOW_PARENT
        else:
            use(engine, sampler)
        return
    if mode == RATIO:
        ratio = _ratio(settings.traces_sampler_arg)
        engine.ratio_bound = min(round(ratio * (1 << 64)), (1 << 64) - 1)
        if ratio >= 1.0:
            mode = ON
    engine.root_mode = mode
    engine.child_mode = FOLLOW_PARENT if name.startswith("parentbased_") else mode


def _ratio(argument: str | None) -> float:
    if argument is None:
        return 1.0
    try:
        ratio = float(argument)
        if 0.0 <= ratio <= 1.0:
            return ratio
    except ValueError:
        pass
    diagnostics.say(
        "sampler-arg",
        f"OTEL_TRACES_SAMPLER_ARG={argument!r} is no number from 0.0 to 1.0; every trace is sampled (1.0)",
    )
    return 1.0


def _installed_sampler(name: str, argument: str | None) -> Any:
    # Only a program that names another sampler pays for the SDK's import.
    try:
        from importlib.metadata import entry_points

        for entry in entry_points(group="opentelemetry_traces_sampler"):
            if entry.name == name:
                return entry.load()(argument or "")
        reason = "no installed package offers it"
    except Exception as error:
        reason = f"it fails to load: {type(error).__name__}: {error}"
    diagnostics.say(
        "sampler",
        f"OTEL_TRACES_SAMPLER={name!r}: {reason}; parentbased_always_on is used. Known: always_on, always_off, "
        "traceidratio, and parentbased_ before each",
    )
    return None


def use(engine: Engine, sampler: Any) -> None:
    """Asks an SDK Sampler for every span."""
    engine.sampler = _asking(sampler)
    engine.root_mode = engine.child_mode = CUSTOM


def _asking(sampler: Any) -> Callable[..., tuple[bool, bool, Any, str]]:
    def ask(span: Span, frame: Frame, attributes: Any, links: Any) -> tuple[bool, bool, Any, str]:
        try:
            result = sampler.should_sample(
                readable.context_of(frame),
                (span.trace_hi << 64) | span.trace_lo,
                span.span_name,
                readable.kind(span),
                attributes or {},
                readable.link_objects(links),
            )
            decision = result.decision
            return (
                decision.is_sampled(),
                decision.is_recording(),
                result.attributes,
                readable.tracestate_header(result.trace_state),
            )
        except Exception as error:
            diagnostics.say(
                "sampler-failed",
                f"the sampler {type(sampler).__name__} failed ({type(error).__name__}: {error}); such spans are kept",
                every_s=60.0,
            )
            return True, True, attributes, span.tracestate

    return ask
