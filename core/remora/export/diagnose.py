"""From a failed delivery to one line that names what is wrong and what mends it."""

from __future__ import annotations

import sys

from remora.export.grpc_status import GrpcMissingError, GrpcStatusError
from remora.export.http_answer import ClosedError, ProxyError
from remora.export.reply import REJECTED, TOO_LARGE
from remora.export.tls import TlsFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from remora.export.reply import Reply

_SPEAKS_GRPC: Final = (
    "port {port} speaks gRPC, not HTTP: use port 4318 (OTEL_EXPORTER_OTLP_ENDPOINT=http://{host}:4318) "
    "or OTEL_EXPORTER_OTLP_PROTOCOL=grpc"
)
_SPEAKS_HTTP: Final = (
    "port {port} speaks HTTP, not gRPC: use port 4317 (OTEL_EXPORTER_OTLP_ENDPOINT=http://{host}:4317) "
    "or OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
)
_NO_TLS_THERE: Final = "the server does not speak TLS on port {port}: use http:// in OTEL_EXPORTER_OTLP_ENDPOINT"
_TLS_THERE: Final = "the server wants TLS on port {port}: use https:// in OTEL_EXPORTER_OTLP_ENDPOINT"
_UNKNOWN_CA: Final = "its certificate is signed by nobody we know: name the CA's file in OTEL_EXPORTER_OTLP_CERTIFICATE"
_WRONG_NAME: Final = "its certificate is not for {host}: use the name that the certificate has"
_EXPIRED: Final = "its certificate has expired"
_CLIENT_CERTIFICATE: Final = (
    "it asks for a client certificate: set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY"
)
_NOBODY_LISTENS: Final = (
    "connection refused: nobody listens on port {port} of {host}; start the collector there, or correct "
    "OTEL_EXPORTER_OTLP_ENDPOINT"
)
_NO_ANSWER: Final = "it does not answer in time: is {host}:{port} the collector, and is a firewall in between?"
_UNKNOWN_HOST: Final = "the host name {host} cannot be resolved: look at OTEL_EXPORTER_OTLP_ENDPOINT"

_HTTP1_MARKS: Final = ("http1.x server", "http/1", "error parsing http/2", "expected settings frame")  # grpcio's words
NO_GRPC: Final = "no grpcio"

_UNKNOWN_CA_CODES: Final = (2, 18, 19, 20, 21)  # X509_V_ERR_*
_WRONG_NAME_CODES: Final = (62, 64)
_EXPIRED_CODES: Final = (9, 10)


class Place:
    """Where deliveries go, as far as an explanation needs it."""

    __slots__ = ("host", "port", "shown")

    def __init__(self, shown: str, host: str, port: int) -> None:
        self.shown = shown
        self.host = host
        self.port = port


def explain(reply: Reply, place: Place) -> tuple[str, str]:
    """A short key for the cause and, in plain words, what is wrong and what to do; no header value is ever in it."""
    kind, text = _of_status(reply) if reply.status and not reply.error else _of_error(reply, place)
    return kind, text.replace("{host}", place.host).replace("{port}", str(place.port))


def _of_status(reply: Reply) -> tuple[str, str]:
    status = reply.status
    said = quoted(reply.body)
    if reply.content_type:
        return "foreign answer", (
            f"status {status}, answered {reply.content_type}{_titled(reply.body)}: is that an OTLP endpoint, and no "
            "web server, login or portal? Correct OTEL_EXPORTER_OTLP_ENDPOINT"
        )
    if reply.opening and b"HTTPS" in reply.body and status == 400:
        return "tls wanted", _TLS_THERE
    if status in (401, 403):
        return f"status {status}", f"status {status}: it wants other credentials, set OTEL_EXPORTER_OTLP_HEADERS"
    if status == 407:
        return "status 407", "status 407: the proxy wants a user and a password in HTTP_PROXY or HTTPS_PROXY"
    if status in (404, 405):
        return f"status {status}", (
            f"status {status}: nothing takes OTLP at this path; OTEL_EXPORTER_OTLP_ENDPOINT is the base to which "
            "/v1/traces is added, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is"
        )
    if 300 <= status < 400:
        return f"status {status}", f"status {status}: it redirects elsewhere; set OTEL_EXPORTER_OTLP_ENDPOINT to that"
    if reply.verdict == REJECTED:
        return f"status {status}", f"status {status}: it rejects the data{said}"
    if reply.verdict == TOO_LARGE:
        return "status 413", f"status {status}: a single item is larger than it takes"
    if status == 429:
        return "status 429", "status 429: it takes no more for now"
    return f"status {status}", f"status {status}{said}"


def _of_error(reply: Reply, place: Place) -> tuple[str, str]:
    error: Any = reply.error
    opening = reply.opening
    if _is_http2(opening):
        return "speaks grpc", _SPEAKS_GRPC
    if opening[:2] == b"\x15\x03":  # a TLS alert
        return "tls wanted", _TLS_THERE
    if isinstance(error, GrpcStatusError):
        return _of_grpc(error, place)
    if isinstance(error, GrpcMissingError):
        return NO_GRPC, str(error)
    if isinstance(error, OSError):
        return _of_os(error, opening, place)
    if isinstance(error, ValueError) and not opening:
        return "endpoint", str(error)
    return "garbage", f"the answer is no HTTP{quoted(opening)}: is this an OTLP endpoint?"


def _of_os(error: Any, opening: bytes, place: Place) -> tuple[str, str]:
    ssl: Any = sys.modules.get("ssl")
    if isinstance(error, ProxyError):
        if error.status == 407:
            return "status 407", "the proxy wants a user and a password in HTTP_PROXY or HTTPS_PROXY (status 407)"
        return "proxy", f"the proxy refuses the tunnel (status {error.status}): look at HTTPS_PROXY and NO_PROXY"
    if isinstance(error, TlsFileError):
        return "tls file", str(error)
    if ssl is not None and isinstance(error, ssl.SSLError):
        return _of_tls(error)
    if isinstance(error, TimeoutError):
        return "timeout", _NO_ANSWER if error.errno else f"{error}; {_NO_ANSWER}"
    if isinstance(error, ConnectionRefusedError):
        return "refused", _NOBODY_LISTENS
    if type(error).__name__ == "gaierror":
        return "dns", _UNKNOWN_HOST
    if isinstance(error, ConnectionError) and not opening:
        hint = _SPEAKS_GRPC if place.port == 4317 else "a server that wants TLS (https://) does so, too"
        if place.shown.startswith("https:"):
            hint = f"perhaps {_CLIENT_CERTIFICATE}"
        what = "it closes the connection without an answer" if isinstance(error, ClosedError) else _plain(error)
        return "closed", f"{what}; {hint}"
    return "network", _plain(error)


def _of_tls(error: Any) -> tuple[str, str]:
    code = getattr(error, "verify_code", 0)
    if code in _WRONG_NAME_CODES:
        return "tls name", _WRONG_NAME
    if code in _EXPIRED_CODES:
        return "tls expired", _EXPIRED
    if code in _UNKNOWN_CA_CODES:
        return "tls ca", _UNKNOWN_CA
    if code:
        return "tls certificate", f"its certificate is not accepted: {shown(error.verify_message)}"
    reason = (getattr(error, "reason", "") or str(error)).upper()
    if any(mark in reason for mark in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "RECORD LAYER")):
        return "no tls", _NO_TLS_THERE
    if "CERTIFICATE_REQUIRED" in reason or "BAD_CERTIFICATE" in reason or "HANDSHAKE_FAILURE" in reason:
        return "tls client", _CLIENT_CERTIFICATE
    return "tls", f"TLS fails: {reason.replace('_', ' ').lower() or type(error).__name__}"


def _of_grpc(error: GrpcStatusError, place: Place) -> tuple[str, str]:
    code, details = error.code, error.details.lower()
    if any(mark in details for mark in _HTTP1_MARKS):
        return "speaks http", _SPEAKS_HTTP
    if code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return code, f"{code}: it wants other credentials, set OTEL_EXPORTER_OTLP_HEADERS"
    if code == "DEADLINE_EXCEEDED":
        return "timeout", _NO_ANSWER
    if "verification failed" in details or "certificate_verify_failed" in details or "verify" in details:
        return "tls ca", _WRONG_NAME if "hostname" in details or "peer name" in details else _UNKNOWN_CA
    if "wrong_version_number" in details or "wrong version number" in details:
        return "no tls", _NO_TLS_THERE
    if "ssl" in details or "tls" in details:
        return "tls", f"TLS fails: {shown(error.details)}"
    if "connection refused" in details:
        return "refused", _NOBODY_LISTENS
    if "dns" in details or "domain name" in details:
        return "dns", _UNKNOWN_HOST
    if code == "UNIMPLEMENTED":
        return code, f"{code}: this gRPC server takes no OTLP of this signal"
    if place.port == 4318:
        return "speaks http", f"{code}; {_SPEAKS_HTTP}"
    return code, f"{code}: {shown(error.details)}"


def _is_http2(opening: bytes) -> bool:
    """A SETTINGS or GOAWAY frame on stream 0, or what is left of one: what a gRPC server answers to HTTP/1.1."""
    return len(opening) >= 9 and opening[0] == 0 and opening[3] in (4, 7) and opening[5:9] == b"\0\0\0\0"


def quoted(data: bytes) -> str:
    """` (it says: ...)` with what can be shown of foreign bytes, "" if nothing can."""
    text = shown(data[:200].decode("utf-8", "replace"))
    return f" (it says: {text})" if text else ""


def _titled(page: bytes) -> str:
    """` ("Welcome")` with the title of a page, "" where it has none."""
    lowered = page.lower()
    begin = lowered.find(b">", lowered.find(b"<title")) + 1 if b"<title" in lowered else 0
    end = lowered.find(b"</title", begin)
    text = shown(page[begin:end].decode("utf-8", "replace"), 60) if 0 < begin < end else ""
    return f' ("{text}")' if text else ""


def shown(text: str, limit: int = 160) -> str:
    """Foreign text fit for one line of a terminal: without control characters, not long."""
    clean = "".join(mark if mark.isprintable() and mark != "\ufffd" else " " for mark in text[: limit * 2])
    return " ".join(clean.split())[:limit]


def _plain(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
