"""A remote procedure call: one CLIENT span where it is made, one SERVER span where it is served."""

from __future__ import annotations

from remora.conventions import errors, metrics, redaction
from remora.conventions.call import CLIENT, RPC_CLIENT, RPC_SERVER, SERVER, Call
from remora.conventions.keys import (
    ERROR_TYPE,
    NETWORK_PEER_ADDRESS,
    NETWORK_PEER_PORT,
    RPC_METHOD,
    RPC_METHOD_ORIGINAL,
    RPC_RESPONSE_STATUS_CODE,
    RPC_SYSTEM_NAME,
    SERVER_ADDRESS,
    SERVER_PORT,
)
from remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

# Codes that are the server's own fault; the others tell the client about its request.
_SERVER_ERRORS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
_MAX_DETAILS_CHARS = 2048


class RpcCall(Call):
    """What both sides know. ``method`` is fully qualified, without a leading slash: "shop.Stock/Ask".

    A method that the server does not know goes into ``unknown_method`` instead: clients may make up any number.

    To be set afterwards, where known: ``status_code``, by its name ("NOT_FOUND"), and its ``details``;
    ``peer_address`` and ``peer_port``; ``error_type``, a short fixed code for any other failure.
    """

    __slots__ = (
        "details",
        "error_type",
        "host",
        "method",
        "peer_address",
        "peer_port",
        "port",
        "status_code",
        "system",
        "unknown_method",
    )

    def __init__(self, system: str, method: object, *, host: object = None, port: object = None) -> None:
        self.carrier = None
        self.system = system
        self.method = method
        self.unknown_method: object = None
        self.host = host
        self.port = port
        self.peer_address: object = None
        self.peer_port: object = None
        self.status_code: str | None = None
        self.details: object = None
        self.error_type: str | None = None

    def doubles(self, outer: Any) -> bool:  # noqa: ARG002 - two calls of one family are never the same call
        """Never: what is called from within a call is another one."""
        return False

    def name(self) -> str:
        """The method; for want of one, the system."""
        return exact_text(self.method) or self.system

    def start(self) -> dict[str, Any]:
        """All the convention lets a sampler see."""
        attributes: dict[str, Any] = {RPC_SYSTEM_NAME: self.system}
        method = exact_text(self.method)
        if method:
            attributes[RPC_METHOD] = method
        elif self.unknown_method is not None:
            attributes[RPC_METHOD] = errors.OTHER
            attributes[RPC_METHOD_ORIGINAL] = exact_text(self.unknown_method) or ""
        if self.host is not None:
            host = exact_text(self.host)
            if host:
                attributes[SERVER_ADDRESS] = host
                port = exact_int(self.port)
                if port is not None:
                    attributes[SERVER_PORT] = port
        return attributes

    def end(self, exception: BaseException | None) -> dict[str, Any]:
        """Status and peer; which codes are failures depends on the side."""
        attributes: dict[str, Any] = {}
        error = self.error_type
        code = self.status_code
        if code is not None:
            attributes[RPC_RESPONSE_STATUS_CODE] = code
            if error is None and self._fails(code):
                error = code
        elif exception is not None and error is None and not errors.cancelled(exception):
            error = errors.type_of(exception)
        if error is not None:
            attributes[ERROR_TYPE] = exact_text(error) or errors.OTHER
        if self.peer_address is not None:
            address = exact_text(self.peer_address)
            if address:
                attributes[NETWORK_PEER_ADDRESS] = address
                port = exact_int(self.peer_port)
                if port is not None:
                    attributes[NETWORK_PEER_PORT] = port
        return attributes

    def description(self, exception: BaseException | None) -> str | None:
        """What the status says in words, or else the exception, redacted."""
        details = exact_text(self.details)
        if details:
            return redaction.text(details[:_MAX_DETAILS_CHARS])[: errors.MAX_DESCRIPTION_CHARS]
        return errors.description(exception)

    def _fails(self, code: str) -> bool:
        raise NotImplementedError


class RpcClientCall(RpcCall):
    """One call as its client sees it, retries beneath included; ``host`` and ``port`` as the target names them."""

    __slots__ = ()

    family = RPC_CLIENT
    kind = CLIENT
    duration = metrics.RPC_CLIENT_CALL_DURATION
    injects = True

    def __init__(
        self,
        system: str,
        method: object,
        *,
        host: object = None,
        port: object = None,
        carrier: MutableMapping[str, str] | None = None,
    ) -> None:
        super().__init__(system, method, host=host, port=port)
        self.carrier = carrier

    def _fails(self, code: str) -> bool:
        return code != "OK"


class RpcServerCall(RpcCall):
    """One call as its server sees it; ``header`` reads the request's metadata by lower-case name."""

    __slots__ = ("_header", "exception")

    family = RPC_SERVER
    kind = SERVER
    duration = metrics.RPC_SERVER_CALL_DURATION
    extracts = True

    def __init__(
        self,
        system: str,
        method: object,
        header: Callable[[str], object] | None = None,
        *,
        host: object = None,
        port: object = None,
    ) -> None:
        super().__init__(system, method, host=host, port=port)
        self._header = header
        self.exception: BaseException | None = None

    def release(self) -> None:
        """Lets go of the request."""
        self._header = None

    def header(self, name: str) -> str | None:
        """One entry of the metadata by its lower-case name."""
        read = self._header
        return None if read is None else exact_text(read(name))

    def _fails(self, code: str) -> bool:
        return code in _SERVER_ERRORS
