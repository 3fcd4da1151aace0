"""What a delivery will import, imported beforehand, where no fork can come in between."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora.settings import Otlp


def warm(otlp: Otlp) -> None:
    """Imports what sending to the endpoint takes; a module that is missing is its user's to report."""
    modules = ["email.utils", "http.client", "urllib.parse", "zlib"]
    if otlp.protocol == "grpc":
        modules.append("grpc")
    elif otlp.endpoint.lower().startswith("https"):
        modules.append("ssl")
    if otlp.compression == "zstd":
        modules.append("zstandard")
    for module in modules:
        try:
            import_module(module)
        except ImportError:
            continue
