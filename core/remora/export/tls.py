"""The TLS context made of the configured files, made anew when one of them changed (rotated certificates)."""

from __future__ import annotations

import os

from remora import diagnostics

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl


class TlsFileError(OSError):
    """A configured certificate or key cannot be used; `variable` names the setting."""

    def __init__(self, variable: str, path: str, why: str) -> None:
        super().__init__(f"{path} ({variable}): {why}")
        self.variable = variable


class Trust:
    """Whom to trust (`certificate`, a CA file; None: the system's) and who we are (`client_certificate`, its key)."""

    def __init__(self, certificate: str | None, client_certificate: str | None, client_key: str | None) -> None:
        self._certificate = certificate
        self._client_certificate = client_certificate
        self._client_key = client_key
        self._state: tuple[object, ...] = ()
        self._context: ssl.SSLContext | None = None

    def changed(self) -> bool:
        """Whether a file changed since the context was made."""
        return self._context is not None and self.stamps() != self._state

    def stamps(self) -> tuple[object, ...]:
        """What changes when one of the files does."""
        return tuple(_stamp(path) for path in (self._certificate, self._client_certificate, self._client_key) if path)

    def pem(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """The contents of CA file, client key and client certificate, as gRPC wants them."""
        return (
            _contents(self._certificate, "OTEL_EXPORTER_OTLP_CERTIFICATE"),
            _contents(self._client_key, "OTEL_EXPORTER_OTLP_CLIENT_KEY"),
            _contents(self._client_certificate, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
        )

    def context(self) -> ssl.SSLContext:
        """The context for the files as they are now; the last good one while a rotation is half done."""
        state = self.stamps()
        if self._context is None or state != self._state:
            try:
                self._context = self._make()
            except OSError as error:  # ssl.SSLError is one
                if self._context is None:
                    raise
                diagnostics.say("export.tls.reload", f"a changed certificate cannot be used yet: {error}", every_s=60.0)
            self._state = state
        return self._context

    def _make(self) -> ssl.SSLContext:
        import ssl  # 20 ms and OpenSSL's memory: only for who talks TLS

        try:
            context = ssl.create_default_context(cafile=self._certificate)
        except OSError as error:
            raise TlsFileError("OTEL_EXPORTER_OTLP_CERTIFICATE", self._certificate or "", _why(error)) from error
        context.set_alpn_protocols(["http/1.1"])
        if self._client_certificate:
            try:
                # An encrypted key would make OpenSSL ask for its password on the host program's terminal.
                context.load_cert_chain(self._client_certificate, self._client_key, password=lambda: b"")
            except OSError as error:
                variable = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, OTEL_EXPORTER_OTLP_CLIENT_KEY"
                raise TlsFileError(variable, self._client_certificate, _why(error)) from error
        return context


def _why(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__


def _contents(path: str | None, variable: str) -> bytes | None:
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise TlsFileError(variable, path, _why(error)) from error


def _stamp(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino)
