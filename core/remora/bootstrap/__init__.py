"""The composition root: the only module that knows both wings. ``start`` arms the process; the rest is built on demand.

What a process does not use is not imported: until a library is patched or opentelemetry is imported there is no engine,
until a span ends there is no exporter, no thread and no socket.
"""

from __future__ import annotations

import os
import sys
from time import monotonic, time

if os.environ.get("REMORA_PURE_PYTHON"):
    from remora import _pure

    _pure.install()

from remora import diagnostics, settings
from remora.host import importhooks
from remora.host.host import Host
from remora.process import children, fork
from remora.process import exit as process_exit
from remora.process.guard import report_to
from remora.process.loading import loading
from remora.process.loading import watch as watch_loading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from remora.bootstrap.assembly import Assembly
    from remora.host.rows import Row
    from remora.settings import Settings
    from remora.settings.loading import Loaded

_STATUS_GAP_S = 1.0
_OWN_PROPAGATORS = ("tracecontext", "baggage", "b3", "b3multi", "jaeger", "xray", "none")
# Of formats beside W3C's, by which callers that are not Remora may name their trace.
_CALLERS = {
    "b3": ("B3", "X_B3_TRACEID"),
    "b3multi": ("B3", "X_B3_TRACEID"),
    "jaeger": ("UBER_TRACE_ID",),
    "xray": ("X_AMZN_TRACE_ID",),
}

_agent: Agent | None = None


class Agent:
    """Remora in this process."""

    def __init__(self, loaded: Loaded, environ: Mapping[str, str], observed: bool) -> None:
        self.settings = loaded.settings
        self.problems = loaded.problems
        self.environ = environ
        self.observed = observed
        self.host = Host()
        self.status_file = environ.get("REMORA_STATUS_FILE")
        self.started_unix_s = time()
        self._assembly: Assembly | None = None
        self._status_pid = 0
        self._status_written_s = 0.0

    @property
    def assembly(self) -> Assembly:
        """Engine, pipeline and exporter, made when the first library is patched or opentelemetry imported."""
        if self._assembly is None:
            with loading:
                return self._assemble()
        return self._assembly

    def _assemble(self) -> Assembly:
        # Here, and not above, for a light boot.
        from remora.bootstrap.assembly import Assembly

        if self._assembly is None:
            self._assembly = Assembly(self.settings, self.environ, self.changed, self.observed)
            self._assembly.begin()
        return self._assembly

    def arm(self) -> None:
        """Import hooks for everything that is to be patched; nothing is imported for it."""
        # Each lambda waits with making the assembly until its module is imported.
        hooks = importhooks.installed()
        hooks.when_imported("opentelemetry.context", lambda module: self.assembly.on_context(module))  # noqa: PLW0108
        hooks.when_imported("opentelemetry.trace", lambda module: self.assembly.on_trace(module))  # noqa: PLW0108
        hooks.when_imported("opentelemetry.metrics", lambda _: self.assembly.on_metrics())
        hooks.when_imported("opentelemetry.sdk.trace", lambda module: self.assembly.on_sdk(module))  # noqa: PLW0108
        if self.settings.propagate_to_children:
            children.carry(self._headers_for_children, self._join)
            children.patch_os(os)
            hooks.when_imported("subprocess", children.patch_subprocess)
            hooks.when_imported("multiprocessing.spawn", children.patch_multiprocessing_spawn)
        self.host.arm(self.settings, lambda row: self.assembly.patcher(row), self._patched)  # noqa: PLW0108
        process_exit.set_budget(self.settings.exit_timeout_s)
        process_exit.on_exit(self.finish, self.pending)
        watch_loading()
        if sys.version_info >= (3, 12):
            fork.around_fork(self._before_fork, self._after_fork)
        fork.on_fork_child(self._forked)

    def _headers_for_children(self) -> dict[str, str]:
        return self._assembly.traceparent() if self._assembly is not None else {}

    def _join(self, environ: Mapping[str, str]) -> None:
        self.assembly.inherit(environ)

    def finish(self, timeout_s: float) -> None:
        """The end of the process: deliver within ``timeout_s``, store the rest."""
        if self._assembly is not None:
            self._assembly.finish(monotonic() + timeout_s)
        if self.status_file:
            self.write_status(self.status_file.replace("%p", str(os.getpid())))
        if self._status_pid == os.getpid():
            from remora.pipeline import health  # was imported when the file was written

            health.remove(health.path_of(self.settings.store_dir, os.getpid()))

    def pending(self) -> bool:
        """Whether anything waits to be delivered."""
        return self._assembly is not None and self._assembly.pending()

    def report(self) -> dict[str, Any]:
        """What ``remora doctor`` shows of this process; JSON-able."""
        from remora.bootstrap.reporting import report  # only when asked for

        return report(self, self._assembly)

    def write_status(self, path: str) -> None:
        from remora.pipeline import health  # only when asked for

        health.write(path, self.report())

    def _patched(self, row: Row) -> None:
        # Nearly every program starts threads; only what makes spans is worth a file.
        if row.instrumentation is not None and row.instrumentation.convention != "context":
            self.write_status_file()

    def changed(self) -> None:
        """After each round of sending: keeps the status file true."""
        if time() - self._status_written_s >= _STATUS_GAP_S or self._status_pid != os.getpid():
            self.write_status_file()

    def write_status_file(self) -> None:
        """What ``remora doctor PID`` reads."""
        self._status_written_s = time()
        self._status_pid = os.getpid()
        with loading:
            from remora.pipeline import health  # only where there is something to tell

            health.write(health.path_of(self.settings.store_dir, os.getpid()), self.report())

    def _before_fork(self) -> None:
        if self._assembly is not None:
            self._assembly.let_go()

    def _after_fork(self) -> None:
        if self._assembly is not None:
            self._assembly.take_up()

    def _forked(self) -> None:
        if self._assembly is not None:
            self._assembly.forked()


def start(environ: Mapping[str, str] = os.environ, *, observed: bool = False) -> Agent | None:
    """Arms this process once; later calls return what the first one made. None when switched off.

    ``observed``: somebody in the process looks at the metrics (tests do), so they are made though none is exported.
    Raises only what a broken installation raises; the launch turns that into one line.
    """
    global _agent
    if _agent is not None:
        return _agent
    loaded = settings.load(environ)
    diagnostics.listen_from(loaded.settings.log_level)
    for problem in loaded.problems:
        diagnostics.say(problem, problem)
    if not loaded.settings.enabled:
        return None
    report_to(lambda cause, fault: diagnostics.say(cause, f"{cause}: {diagnostics.fault_text(fault)}"))
    agent = Agent(loaded, environ, observed)
    if _names_other_packages(loaded.settings):
        # Now, not in the middle of an import of the program's that these packages may need themselves.
        agent.assembly  # noqa: B018 - made by being asked for
    if loaded.settings.propagate_to_children and _has_caller(loaded.settings, environ):
        agent.assembly.inherit(environ)
    agent.arm()
    _agent = agent
    return agent


def _has_caller(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Whether the environment may name a trace to join."""
    if environ.get("TRACEPARENT"):
        return True
    return any(environ.get(name) for each in settings.propagators for name in _CALLERS.get(each, ()))


def _names_other_packages(settings: Settings) -> bool:
    """Whether propagators, a sampler, an id generator or detectors of other packages are to be loaded."""
    return (
        any(name not in _OWN_PROPAGATORS for name in settings.propagators)
        or settings.traces_sampler.removeprefix("parentbased_") not in ("always_on", "always_off", "traceidratio")
        or settings.id_generator != "random"
        or any(name not in ("otel", "") for name in settings.resource_detectors)
    )


def agent() -> Agent | None:
    """What ``start`` made in this process."""
    return _agent
