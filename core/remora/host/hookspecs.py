"""The door for plugins: two hooks, both of which return rows of data.

Imported, and pluggy with it, only for a manifest that is more than ``host.marking`` can read by itself.
"""

from __future__ import annotations

import pluggy

from remora.host.marking import PROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from remora.host.manifest import Instrumentation, Producer

hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
def instrumentations() -> Iterable[Instrumentation]:
    """Which libraries this plugin can instrument.

    Called once at start, in every process, whether or not the libraries are installed: return rows and do nothing
    else. The module that implements this hook (the manifest, named by an entry point in the group ``remora``) must not
    import the library, the patch modules, wrapt or opentelemetry; a row names them as text and they are imported when
    the program imports the library::

        from remora.api import Instrumentation, hookimpl

        @hookimpl
        def instrumentations():
            return [
                Instrumentation(
                    "requests",
                    supports=("requests>=2.20,<3",),
                    hooks={"requests.adapters": "remora_plugins.http.requests:patch"},
                    convention="http.client",
                ),
            ]

    A hook that raises, or returns something else than rows, costs its own plugin only and is told in one line. Of two
    rows with the same name the first counts: Remora's own come first, then by the names of distributions.
    """
    return ()


@hookspec
def producers() -> Iterable[Producer]:
    """Which sources of telemetry this plugin can start that wait for no library: a profiler, runtime metrics.

    Called once at start, under the same rules as ``instrumentations``. ``start`` of a row is imported and called after
    everything else is in place, only if the row is wanted::

        @hookimpl
        def producers():
            return [Producer("profiler", start="remora_plugins.profiling.sampler:start", signal="profiles")]
    """
    return ()
