"""One signal's way out, put together: split > retry > watch > compress > http or grpc, and a store for what stays."""

from __future__ import annotations

import os
from contextlib import nullcontext

from remora import diagnostics
from remora.export import compress, grpc
from remora.export.address import parse
from remora.export.compress import Compressing
from remora.export.deadline import Haste
from remora.export.diagnose import Place
from remora.export.fallback import Settlement
from remora.export.http import HttpTransport, agent
from remora.export.local import PROBE_GAP_S, UntilListened
from remora.export.retry import FIRST_BACKOFF_S, Retrying
from remora.export.sender import Outcome
from remora.export.split import Splitting
from remora.export.tls import Trust
from remora.export.warming import warm
from remora.export.watch import Watching
from remora.settings.endpoints import without_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from remora.export.reply import Transport
    from remora.export.sender import Payload, Sender
    from remora.settings import Otlp


class Delivery:
    """The whole way: a Sender that never raises and whose books balance, to be used by one thread at a time."""

    def __init__(
        self,
        sender: Sender,
        splitting: Splitting,
        retrying: Retrying,
        watching: Watching,
        compressing: Compressing,
        transport: Transport,
        settlement: Settlement,
        haste: Haste,
        otlp: Otlp,
    ) -> None:
        self._sender = sender
        self._splitting = splitting
        self._retrying = retrying
        self._watching = watching
        self._compressing = compressing
        self._transport = transport
        self._settlement = settlement
        self._haste = haste
        self._otlp = otlp
        self._shown = without_secrets(otlp.endpoint)
        self._pid = os.getpid()

    def send(self, payload: Payload, deadline: float) -> Outcome:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._haste.forget()  # the parent's exit is not ours
        self._haste.begin()
        try:
            return self._sender.send(payload, deadline)
        except Exception as error:
            diagnostics.say("export.fault", f"an export failed: {diagnostics.fault_text(error)}", level="error")
            return self._settlement.store(payload, Outcome.FAULT, repr(error))

    def warm(self) -> None:
        """Imports what sending will take; to be called where no fork comes in between."""
        warm(self._otlp)

    def hasten(self, deadline: float) -> None:
        """What is being sent right now shall be done by then; cuts sleeps short. From any thread or signal handler."""
        self._haste.hasten(deadline)

    @property
    def limit_bytes(self) -> int | None:
        """How large a payload's body may be according to what the endpoint refused (413); None: no limit known."""
        return self._splitting.limit_bytes

    def condition(self) -> dict[str, str]:
        """For `remora doctor`: the endpoint without secrets, the codec in use, the learned limit, what came last."""
        limit_bytes = self._splitting.limit_bytes
        unheard = isinstance(self._sender, UntilListened) and not self._sender.listened
        return {
            "endpoint": self._shown,
            "codec": self._compressing.codec,
            "limit_bytes": str(limit_bytes) if limit_bytes is not None else "",
            "status": str(self._watching.status or ""),
            "trouble": self._watching.trouble,
            "state": "storing" if self._retrying.down or unheard else "delivering",
        }

    def close(self) -> None:
        self._transport.close()


def build(
    otlp: Otlp,
    *,
    version: str,
    fallback: Callable[[Payload], bool] | None,
    suppress: Callable[[], AbstractContextManager[object]] = nullcontext,
    environ: Mapping[str, str] | None = None,
    first_backoff_s: float = FIRST_BACKOFF_S,
    probe_gap_s: float = PROBE_GAP_S,
) -> Delivery:
    """The way out for one signal as `otlp` describes it.

    `fallback` stores a payload that cannot be delivered and tells whether it could; with it and no endpoint named by
    the user, it takes everything until somebody listens on the default one. `suppress` keeps our own traffic out of
    the traces. `environ` holds the proxy variables. Nothing is loaded, opened or looked up before the first send.
    """
    haste = Haste()
    settlement = Settlement(fallback, lambda reply: watching.words(reply))  # noqa: PLW0108 - it is made below
    trust = Trust(otlp.certificate, otlp.client_certificate, otlp.client_key)
    over_grpc = otlp.protocol == "grpc"
    transport: Transport
    if over_grpc:
        target, insecure = grpc.target(otlp.endpoint, insecure=otlp.insecure)
        transport = grpc.GrpcTransport(
            target,
            insecure=insecure,
            headers=otlp.headers,
            timeout_s=otlp.timeout_s,
            trust=trust,
            haste=haste,
            user_agent=agent(version),
            suppress=suppress,
        )
    else:
        transport = HttpTransport(
            otlp.endpoint,
            headers=otlp.headers,
            timeout_s=otlp.timeout_s,
            trust=trust,
            haste=haste,
            user_agent=agent(version),
            environ=os.environ if environ is None else environ,
            suppress=suppress,
        )
    names = grpc.codecs if over_grpc else compress.codecs
    compressing = Compressing(lambda: names(otlp.compression), transport)
    watching = Watching(compressing, lambda: place(otlp), otlp.headers, stores=settlement.keeps)
    retrying = Retrying(
        watching, haste, stores=settlement.keeps, gave_up=watching.gave_up, first_backoff_s=first_backoff_s
    )
    splitting = Splitting(retrying, settlement)
    sender: Sender = splitting
    if not otlp.configured and fallback is not None:
        sender = UntilListened(splitting, settlement, haste, place=lambda: place(otlp), probe_gap_s=probe_gap_s)
    return Delivery(sender, splitting, retrying, watching, compressing, transport, settlement, haste, otlp)


def place(otlp: Otlp) -> Place:
    """Host and port behind an endpoint, for messages and probes."""
    url = otlp.endpoint
    if otlp.protocol == "grpc":
        target, insecure = grpc.target(url, insecure=otlp.insecure)
        url = f"{'http' if insecure else 'https'}://{target}"
    try:
        address = parse(url)
    except ValueError:
        return Place(without_secrets(otlp.endpoint), without_secrets(otlp.endpoint), 0)
    return Place(address.shown, address.host, address.port)
