"""Puts the trace into the metadata of a call; the caller's own sequence stays as it is."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

POSITION = 2  # of all the callables: request, timeout (or deadline), metadata


def put(
    args: tuple[Any, ...], kwargs: dict[str, Any], carrier: MutableMapping[str, str]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with the carrier's entries in ``metadata``, in place of older ones by the same names."""
    if len(args) > POSITION:
        return (*args[:POSITION], _joined(args[POSITION], carrier), *args[POSITION + 1 :]), kwargs
    return args, {**kwargs, "metadata": _joined(kwargs.get("metadata"), carrier)}


def _joined(metadata: Any, carrier: MutableMapping[str, str]) -> Any:
    if not metadata:
        pairs = tuple(carrier.items())
    else:
        pairs = (*(pair for pair in metadata if pair[0] not in carrier), *carrier.items())
    return type(metadata)(*pairs) if hasattr(metadata, "set_all") else pairs  # grpc.aio.Metadata


def reader(metadata: Any) -> Callable[[str], object]:
    """Reads the first entry of a name."""

    def header(name: str) -> object:
        for pair in metadata:
            if pair[0] == name:
                return pair[1]
        return None

    return header
