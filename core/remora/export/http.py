"""OTLP over HTTP/1.1: one kept-alive connection of our own, invisible to whatever instruments the host's clients.

Only answers are parsed by http.client. Requests are written by hand, because tracers (ours and others') hook
HTTPConnection, and the connection beneath ignores green patches and keeps deadlines, which HTTPConnection cannot.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from time import monotonic

from remora.export.address import parse
from remora.export.deadline import Budget
from remora.export.http_answer import reply_to_failure, talk, tunnel
from remora.export.http_request import RequestWriter
from remora.export.proxy import proxy_for
from remora.export.wire import Answering, Tls, connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from remora.export.address import Address
    from remora.export.deadline import Haste
    from remora.export.reply import Reply
    from remora.export.tls import Trust
    from remora.export.wire import Wire


class HttpTransport:
    """Posts to one endpoint. Not for several threads at once; follows its process through a fork."""

    def __init__(
        self,
        endpoint: str,
        *,
        headers: Mapping[str, str],
        timeout_s: float,
        trust: Trust,
        haste: Haste,
        user_agent: str,
        environ: Mapping[str, str],
        suppress: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._endpoint = endpoint
        self._headers = headers
        self._timeout_s = timeout_s
        self._trust = trust
        self._haste = haste
        self._user_agent = user_agent
        self._environ = environ
        self._suppress = suppress
        self._prepared: tuple[Address, RequestWriter] | None = None
        self._wire: Wire | None = None
        self._leads_to = ""
        self._pid = 0

    def post(self, _signal: str, body: bytes, encoding: str, deadline: float) -> Reply:
        budget = Budget(min(deadline, monotonic() + self._timeout_s), self._haste)
        try:
            with self._suppress():
                return self._post(body, encoding, budget)
        except Exception as error:
            return reply_to_failure(error)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _post(self, body: bytes, encoding: str, budget: Budget) -> Reply:
        if self._prepared is None:
            address = parse(self._endpoint)
            self._prepared = address, RequestWriter(self._headers, address.authorization, self._user_agent)
        if self._pid != os.getpid():
            self.close()  # the parent's connection; closing our copy of the descriptor says nothing on it
            self._pid = os.getpid()
        if self._trust.changed():
            self.close()
        address, writer = self._prepared
        reply, location = self._exchange(address, writer, body, encoding, budget)
        if reply.status in (307, 308) and location:
            target = _same_host(address, location)
            if target is not None:
                reply, _ = self._exchange(target, writer, body, encoding, budget)
        return reply

    def _exchange(
        self, to: Address, writer: RequestWriter, body: bytes, encoding: str, budget: Budget
    ) -> tuple[Reply, str]:
        """The reply and where it redirects to."""
        proxy = proxy_for(to, self._environ)
        request = writer.write(to, proxy, body, encoding)
        idle = self._idle(to, budget)
        reply, location, silent = self._attempt(idle or self._connect(to, proxy, budget), to, request)
        if silent and idle is not None:
            # The server closed the connection just when we took it up again: nobody has looked at the request.
            reply, location, _ = self._attempt(self._connect(to, proxy, budget), to, request)
        return reply, location

    def _attempt(self, wire: Wire, to: Address, request: bytes) -> tuple[Reply, str, bool]:
        """Talk on `wire`, and keep it if it can take another request; whether it broke in silence."""
        answer = Answering(wire)
        try:
            reply, location, keep = talk(wire, answer, request)
        except Exception as error:
            wire.close()
            silent = isinstance(error, ConnectionError) and not answer.opening
            return reply_to_failure(error, answer.opening), "", silent
        if keep:
            self._wire, self._leads_to = wire, to.origin
        else:
            wire.close()
        return reply, location, False

    def _idle(self, to: Address, budget: Budget) -> Wire | None:
        """The kept connection if it leads to `to` and still stands; it is the caller's from now on."""
        wire, self._wire = self._wire, None
        if wire is None:
            return None
        if self._leads_to != to.origin or wire.ended():
            wire.close()
            return None
        wire.budget = budget
        return wire

    def _connect(self, to: Address, proxy: Address | None, budget: Budget) -> Wire:
        via = proxy if proxy is not None else to
        wire: Wire = connect(via.host, via.port, budget)
        try:
            if proxy is not None and proxy.scheme == "https":
                wire = Tls(wire, self._trust.context(), proxy.host)
            if to.scheme == "https":
                if proxy is not None:
                    tunnel(wire, to, proxy, self._user_agent)
                wire = Tls(wire, self._trust.context(), to.host)
        except BaseException:
            wire.close()
            raise
        return wire


def _same_host(origin: Address, location: str) -> Address | None:
    """Where a redirect leads, if that is the same host and no step down from TLS: the headers hold secrets."""
    from urllib.parse import urljoin

    try:
        target = parse(urljoin(f"{origin.scheme}://{origin.origin}{origin.path}", location))
    except ValueError:
        return None
    if target.host != origin.host or (origin.scheme == "https" and target.scheme == "http"):
        return None
    return target


def agent(version: str) -> str:
    """The User-Agent."""
    return f"remora/{version} Python/{sys.version_info.major}.{sys.version_info.minor}"
