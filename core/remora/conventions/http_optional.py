"""What the conventions leave to the user to ask for, of HTTP calls in either direction."""

from __future__ import annotations

from remora import diagnostics
from remora.conventions.keys import (
    CLIENT_PORT,
    HTTP_REQUEST_BODY_SIZE,
    HTTP_RESPONSE_BODY_SIZE,
    NETWORK_LOCAL_ADDRESS,
    NETWORK_LOCAL_PORT,
    NETWORK_TRANSPORT,
    URL_SCHEME,
    USER_AGENT_ORIGINAL,
    USER_AGENT_SYNTHETIC_TYPE,
)
from remora.conventions.values_cy import exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

SERVER = (
    CLIENT_PORT,
    HTTP_REQUEST_BODY_SIZE,
    HTTP_RESPONSE_BODY_SIZE,
    NETWORK_LOCAL_ADDRESS,
    NETWORK_LOCAL_PORT,
    NETWORK_TRANSPORT,
    USER_AGENT_SYNTHETIC_TYPE,
)
CLIENT = (
    HTTP_REQUEST_BODY_SIZE,
    HTTP_RESPONSE_BODY_SIZE,
    NETWORK_TRANSPORT,
    URL_SCHEME,
    USER_AGENT_ORIGINAL,
    USER_AGENT_SYNTHETIC_TYPE,
)

_TESTS = ("alwayson",)
_BOTS = ("bot/", "bot;", "bot)", "crawler", "spider", "googlebot", "bingbot")


def wanted(names: Iterable[str], offered: tuple[str, ...]) -> frozenset[str]:
    """Those of the offered attributes that the names, which may have * and ?, ask for."""
    names = tuple(names)
    if not names:
        return frozenset()
    from remora.conventions import globs  # deferred: only where somebody asks

    pattern = globs.any_of(names)
    return frozenset(name for name in offered if pattern is not None and pattern.match(name))


def unknown(names: Iterable[str]) -> list[str]:
    """The names that ask for nothing."""
    return [name for name in names if not wanted((name,), SERVER + CLIENT)]


def put_transport(attributes: dict[str, Any], peer_address: object, version: object) -> None:
    """How the bytes went: a Unix domain socket's peer is a path, HTTP/3 is over QUIC."""
    address = exact_text(peer_address) or ""
    unix = address.startswith(("/", "\0", "unix:"))
    attributes[NETWORK_TRANSPORT] = "unix" if unix else "quic" if version == "3" else "tcp"


def put_synthetic_type(attributes: dict[str, Any], agent: object) -> None:
    """Whether a test or a bot asks, as far as it says so."""
    words = (exact_text(agent) or "").lower()
    if not words:
        return
    if any(word in words for word in _TESTS):
        attributes[USER_AGENT_SYNTHETIC_TYPE] = "test"
    elif words.endswith("bot") or any(word in words for word in _BOTS):
        attributes[USER_AGENT_SYNTHETIC_TYPE] = "bot"


def missed(error: Exception) -> None:
    """A header or an address that cannot be read costs its attribute, never the span."""
    diagnostics.say("http-optional", f"an opt-in attribute could not be read: {diagnostics.fault_text(error)}")
