"""The record of a database call and what describes the calls of a driver, for plugins to name."""

from __future__ import annotations

from remora.conventions.database_cy import (
    DEFAULT_PORTS,
    MAX_ARGUMENTS,
    CommandReads,
    DatabaseCall,
    Peer,
    Place,
    QueryReads,
    has_values,
    peer_of,
    place_of,
)

__all__ = [
    "DEFAULT_PORTS",
    "MAX_ARGUMENTS",
    "CommandReads",
    "DatabaseCall",
    "Peer",
    "Place",
    "QueryReads",
    "has_values",
    "peer_of",
    "place_of",
]
