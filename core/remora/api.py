"""Everything a plugin's manifest may name. Patch modules also use ``remora.conventions`` for the records."""

from __future__ import annotations

from remora.host.manifest import Instrumentation, Option, Producer
from remora.host.marking import hookimpl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from remora.patching.patcher import Patcher as Patcher  # noqa: PLC0414 - given on to plugins

__all__ = ["Instrumentation", "Option", "Producer", "hookimpl", "url_template"]


def url_template(template: str) -> AbstractContextManager[None]:
    """``with url_template("/users/{id}"):`` names the HTTP requests of the block, in spans and their ``url.template``.

    For programs, which know what their URLs are made from. Blocks may be nested; without Remora at work it does
    nothing.
    """
    from remora.telemetry.url_template import UrlTemplate  # deferred: manifests import this module at every boot

    return UrlTemplate(template)
