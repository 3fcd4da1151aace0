"""What this plugin can instrument; read at every start, so it imports neither the library nor the patch."""

from __future__ import annotations

from remora.api import Instrumentation, hookimpl


@hookimpl
def instrumentations() -> list[Instrumentation]:
    return [
        Instrumentation(
            "acme",
            supports=("acme-with-telemetry>=1,<2",),
            hooks={"acme.client": "acme_otel.acme:patch"},
            convention="http.client",
        )
    ]
