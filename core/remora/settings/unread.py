"""What is accepted, so that an environment can be the same for all services, and does nothing here: logs are not sent.

Not loaded by a boot: whoever asks what an environment means learns of it, not every program at its start.
"""

from __future__ import annotations

from remora.settings.readers import exporters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_LOGS = ("OTEL_BLRP_", "OTEL_EXPORTER_OTLP_LOGS_", "OTEL_LOGS_EXPORTER")


def unread(environ: Mapping[str, str]) -> str | None:
    """One line that names what is set in vain; None when there is nothing."""
    named = sorted(name for name, raw in environ.items() if name.startswith(_OF_LOGS) and raw.strip())
    if not named or _no_logs_are_wanted(environ):
        return None
    return f"Remora sends no logs: {', '.join(named)} {'is' if len(named) == 1 else 'are'} accepted and not read"


def _no_logs_are_wanted(environ: Mapping[str, str]) -> bool:
    try:
        return exporters(environ.get("OTEL_LOGS_EXPORTER", "").strip()) == ("none",)
    except ValueError:
        return False
