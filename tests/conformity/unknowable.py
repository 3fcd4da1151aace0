"""What a library has no way to know, and why; an entry that is wrong fails the test."""

from __future__ import annotations

UNKNOWABLE: dict[str, dict[str, str]] = {
    "WebsocketsLegacyClient": {
        "a refused connection": "asyncio opens the connection before the deprecated client is there, which retries it"
    }
}
"""Library -> attribute, or situation -> reason. Everything else that applies is told by each library."""

NEVER = {"network.protocol.name": "asked for only where the protocol is not http, and these are HTTP libraries"}
"""Attribute -> why its condition holds in no HTTP library."""
