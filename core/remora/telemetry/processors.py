"""SDK SpanProcessors that the program adds to our provider: each gets what the SDK would give it."""

from __future__ import annotations

from remora import diagnostics
from remora.telemetry import readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.telemetry.spans_cy import Frame, Span


class Processors:
    """The processors in the order they were added; one that raises is reported and harms nobody else."""

    def __init__(self) -> None:
        self.added: list[Any] = []

    def on_start(self, span: Span, frame: Frame) -> None:
        context = diagnostics.guarded("processor-context", readable.context_of)(frame)
        for processor in self.added:
            self._guard(processor, "on_start", span, parent_context=context)

    def on_ending(self, span: Span) -> None:
        for processor in self.added:
            if hasattr(processor, "_on_ending"):
                self._guard(processor, "_on_ending", span)

    def on_end(self, span: Span) -> None:
        finished = diagnostics.guarded("processor-span", readable.sdk_span)(span)
        if finished is None:
            return
        for processor in self.added:
            self._guard(processor, "on_end", finished)

    def shutdown(self) -> None:
        for processor in self.added:
            self._guard(processor, "shutdown")

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        done = True
        for processor in self.added:
            if self._guard(processor, "force_flush", timeout_millis) is False:
                done = False
        return done

    def _guard(self, processor: Any, what: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(processor, what)(*args, **kwargs)
        except Exception as error:
            diagnostics.say(
                f"processor-{type(processor).__name__}-{what}",
                f"the program's span processor {type(processor).__name__}.{what} failed: "
                f"{type(error).__name__}: {error}",
                every_s=60.0,
            )
            return False
