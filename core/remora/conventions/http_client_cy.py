"""An outgoing HTTP request: one CLIENT span per attempt on the wire.

Compiled when it can be; the same source either way.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

from remora.conventions import errors, methods, metrics
from remora.conventions.call import CLIENT, HTTP_CLIENT
from remora.conventions.keys import (
    ERROR_TYPE,
    HTTP_REQUEST_METHOD,
    HTTP_REQUEST_RESEND_COUNT,
    HTTP_RESPONSE_STATUS_CODE,
    SERVER_ADDRESS,
    SERVER_PORT,
    URL_FULL,
)

if not cython.compiled:
    from remora.conventions.call_cy import Call
    from remora.conventions.network_cy import put_network
    from remora.conventions.url_cy import Origin, full, split
    from remora.conventions.values_cy import exact_int, exact_text
else:
    from cython.cimports.remora.conventions.call_cy import Call
    from cython.cimports.remora.conventions.network_cy import put_network
    from cython.cimports.remora.conventions.url_cy import Origin, full, split
    from cython.cimports.remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

COMPILED = cython.compiled
_known: dict[str, str] = methods.KNOWN

# AWS signature versions 4 and 2, Google's of both kinds, Azure storage.
_SCHEMES = ("AWS4-", "AWS ", "GOOG4-", "GOOG1 ", "SharedKey ", "SharedKeyLite ")
_PARAMETERS = ("X-Amz-Signature=", "X-Goog-Signature=", "&Signature=", "?Signature=", "?sig=", "&sig=")


def signed(url: object, headers: Mapping[str, str] | Mapping[str, bytes]) -> bool:
    """Whether the headers or the query bear a cloud's signature, so that no header may be added to the request.

    ``url`` is only looked at if it is a str.
    """
    if isinstance(headers, dict):
        for name in ("Authorization", "authorization"):
            if name in headers and _by_cloud(headers[name]):
                return True
    # What is no dict knows its headers in any spelling.
    elif _bears_authorization(headers) and _by_cloud(headers["Authorization"]):
        return True
    if type(url) is not str:
        return False
    text: str = url
    if "ignature=" not in text and "sig=" not in text:
        return False
    return any(parameter in text for parameter in _PARAMETERS)


@cython.cfunc
def _bears_authorization(headers: Any) -> cython.bint:
    # requests' and httpx's keep the lower-case names: to learn from the mapping itself that it has none of that takes
    # functions of Python, and an exception.
    kept: Any = getattr(headers, "_store", None)
    if isinstance(kept, dict):
        return "authorization" in kept
    kept = getattr(headers, "_list", None)  # httpx's: (name as written, its lower case, value)
    if type(kept) is list and kept and type(kept[0]) is tuple and len(kept[0]) == 3:
        for line in kept:
            if line[1] == b"authorization":
                return True
        return False
    return "Authorization" in headers


@cython.cfunc
def _by_cloud(value: object) -> cython.bint:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return isinstance(text, str) and text.startswith(_SCHEMES)


@cython.cclass
class HttpClientCall(Call):
    """One attempt to send a request; a redirect or retry on the wire is a call of its own with a ``resend_count``.

    ``method`` and ``url`` as the library has them (str, bytes or an object that prints as the absolute URL; see
    ``conventions.url_cy.absolute`` for libraries that know the parts only); ``carrier`` takes the propagation headers,
    unless it or the URL bears a cloud's signature: then the request is sent as it was signed.

    To be set afterwards, where known: ``status``; ``protocol_version`` (11, "HTTP/1.1", "h2"); ``protocol_name`` if it
    is not http; ``peer_address`` and ``peer_port`` of the socket; ``resend_count``; ``error_type``, a short fixed code
    of the library's own for a failure that is neither a status nor an exception; ``response_headers``, and ``headers``
    where the request's are not in ``carrier``, in any shape that ``conventions.header_pairs`` reads.
    """

    family = HTTP_CLIENT
    kind = CLIENT
    duration = metrics.HTTP_CLIENT_REQUEST_DURATION
    injects = True

    if not cython.compiled:
        __slots__ = (
            "error_type",
            "headers",
            "method",
            "parts",
            "peer_address",
            "peer_port",
            "protocol_name",
            "protocol_version",
            "resend_count",
            "response_headers",
            "status",
            "url",
        )

    def __init__(self, method: object, url: object, carrier: Any = None) -> None:
        self.method = method
        self.url = url
        self.parts: Any = None
        self.headers: object = carrier
        self.response_headers: object = None
        self.carrier = None if carrier is None or signed(url, carrier) else carrier
        self.status: object = None
        self.protocol_version: object = None
        self.protocol_name: object = None
        self.peer_address: object = None
        self.peer_port: object = None
        self.resend_count = 0
        self.error_type: str | None = None

    def release(self) -> Any:
        """Lets go of the request and the response."""
        self.carrier = self.headers = self.response_headers = None
        return None

    def doubles(self, outer: Any) -> bool:
        """The same method on the same host: requests over urllib3 over http.client."""
        if self.method != outer.method and exact_text(self.method) != exact_text(outer.method):
            return False
        ours: Origin = _parts(self)[0]
        theirs: Origin = _parts(outer)[0]
        return ours is theirs or (ours.address == theirs.address and ours.port == theirs.port)

    def covers(self, method: Any, host: Any, port: Any) -> bool:
        """Whether a request to this host and port, which a layer below is about to send, is this very one."""
        if method is not None and self.method != method:
            return False
        origin: Origin = _parts(self)[0]
        return bool(origin.address == host and origin.port == port)

    def name(self) -> str:
        """The method; never the URL."""
        method = self.method
        if type(method) is str:
            known = _known.get(method)
            if known is not None:
                return known
        return methods.name(method)

    def start(self) -> dict[str, Any]:
        """All the convention lets a sampler see."""
        method = self.method
        known = _known.get(method) if type(method) is str else None
        attributes: dict[str, Any] = {}
        if known is not None:
            attributes[HTTP_REQUEST_METHOD] = known
        else:
            methods.put(attributes, method)
        parts: tuple[Any, Any] = _parts(self)
        origin: Origin = parts[0]
        if origin.address is not None:
            attributes[SERVER_ADDRESS] = origin.address
        if origin.port is not None:
            attributes[SERVER_PORT] = origin.port
        attributes[URL_FULL] = full(origin, parts[1])
        return attributes

    def end(self, exception: Any) -> dict[str, Any]:
        """Status, protocol and peer; a status from 400 on and an exception are failures, a cancelled call is none."""
        attributes: dict[str, Any] = {}
        error = self.error_type
        if self.status is not None:
            status = exact_int(self.status)
            if status is not None:
                attributes[HTTP_RESPONSE_STATUS_CODE] = status
                if status >= 400 and error is None:
                    error = str(status)
        if exception is not None and error is None and not errors.cancelled(exception):
            error = errors.type_of(exception)
        if error is not None:
            attributes[ERROR_TYPE] = exact_text(error) or errors.OTHER
        put_network(attributes, self.protocol_name, self.protocol_version, self.peer_address, self.peer_port)
        if self.resend_count:
            count = exact_int(self.resend_count)
            if count is not None and count > 0:
                attributes[HTTP_REQUEST_RESEND_COUNT] = count
        return attributes

    def description(self, exception: Any) -> str | None:
        """The exception's message, redacted; None where the status code says it."""
        status = exact_int(self.status)
        return None if status is not None and status >= 400 else errors.description(exception)


@cython.cfunc
def _parts(call: HttpClientCall) -> Any:
    if call.parts is None:
        call.parts = split(call.url)
    return call.parts
