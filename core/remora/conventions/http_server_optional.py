"""Opt-in attributes of served requests: captured headers, sizes of bodies, ports and transport."""

from __future__ import annotations

from remora.conventions import header_pairs, http_optional
from remora.conventions.keys import (
    CLIENT_ADDRESS,
    CLIENT_PORT,
    HTTP_REQUEST_BODY_SIZE,
    HTTP_RESPONSE_BODY_SIZE,
    NETWORK_LOCAL_ADDRESS,
    NETWORK_LOCAL_PORT,
    NETWORK_PROTOCOL_VERSION,
    NETWORK_TRANSPORT,
    USER_AGENT_ORIGINAL,
    USER_AGENT_SYNTHETIC_TYPE,
)
from remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.conventions.captured_headers import Captured


class HttpServerOptional:
    """``wanted`` are attribute keys; ``request`` and ``response`` the headers to capture, None for none."""

    def __init__(self, wanted: frozenset[str], request: Captured | None, response: Captured | None) -> None:
        self._wanted = wanted
        self._request = request
        self._response = response

    def begun(self, call: Any, name: str, attributes: dict[str, Any]) -> str:
        """Adds what is known before the application runs, for samplers to see; returns the span's name."""
        try:
            headers = header_pairs.of_request(call)
            if self._request is not None:
                self._request.put(attributes, headers)
            if self._wanted:
                self._put_wanted(call, attributes, headers)
        except Exception as error:
            http_optional.missed(error)
        return name

    def ended(self, call: Any, attributes: dict[str, Any]) -> None:
        """Adds what the answer tells."""
        headers = call.response_headers
        if headers is None:
            return
        try:
            if self._response is not None:
                self._response.put(attributes, headers)
            if HTTP_RESPONSE_BODY_SIZE in self._wanted:
                size = header_pairs.length(headers)
                if size is not None:
                    attributes[HTTP_RESPONSE_BODY_SIZE] = size
        except Exception as error:
            http_optional.missed(error)

    def _put_wanted(self, call: Any, attributes: dict[str, Any], headers: Any) -> None:
        wanted = self._wanted
        if HTTP_REQUEST_BODY_SIZE in wanted:
            size = header_pairs.length(headers)
            if size is not None:
                attributes[HTTP_REQUEST_BODY_SIZE] = size
        if NETWORK_TRANSPORT in wanted:
            http_optional.put_transport(attributes, call.peer_address, attributes.get(NETWORK_PROTOCOL_VERSION))
        if USER_AGENT_SYNTHETIC_TYPE in wanted:
            http_optional.put_synthetic_type(attributes, attributes.get(USER_AGENT_ORIGINAL))
        if CLIENT_PORT in wanted and exact_text(call.peer_address) == attributes.get(CLIENT_ADDRESS):
            _put_port(attributes, CLIENT_PORT, call.peer_port)
        host = exact_text(call.host) or ""
        if _is_address(host):
            if NETWORK_LOCAL_ADDRESS in wanted:
                attributes[NETWORK_LOCAL_ADDRESS] = host
            if NETWORK_LOCAL_PORT in wanted:
                _put_port(attributes, NETWORK_LOCAL_PORT, call.port)


def _put_port(attributes: dict[str, Any], key: str, value: object) -> None:
    port = exact_int(value)
    if port:
        attributes[key] = port


def _is_address(host: str) -> bool:
    """An IP address that a socket can have; servers that listen on all of them only know their wildcard."""
    return host not in ("0.0.0.0", "::") and (":" in host or (host.count(".") == 3 and host.replace(".", "").isdigit()))  # noqa: S104 - compared
