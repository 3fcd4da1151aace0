"""Which proxy the environment asks for: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, lower case first."""

from __future__ import annotations

from remora.export.address import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from remora.export.address import Address

_LOOPBACK = ("localhost", "127.", "::1")


def proxy_for(address: Address, environ: Mapping[str, str]) -> Address | None:
    """The proxy to go through, None for a direct connection; ValueError when the variable holds no URL.

    A loopback host is never asked of a proxy, which could only reach its own loopback (as Go's net/http does).
    """
    url = _variable(f"{address.scheme}_proxy", environ)
    if not url or _is_loopback(address.host) or _excepted(address, _variable("no_proxy", environ)):
        return None
    return parse(url if "://" in url else f"http://{url}")


def _variable(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if value is None and not (name == "http_proxy" and "REQUEST_METHOD" in environ):
        # In a CGI program HTTP_PROXY is whatever the client sent as "Proxy:" (httpoxy).
        value = environ.get(name.upper())
    return (value or "").strip()


def _is_loopback(host: str) -> bool:
    return host == _LOOPBACK[0] or host.endswith(".localhost") or host.startswith(_LOOPBACK[1]) or host == _LOOPBACK[2]


def _excepted(address: Address, exceptions: str) -> bool:
    return any(_names(entry.strip().lower(), address) for entry in exceptions.split(",") if entry.strip())


def _names(entry: str, address: Address) -> bool:
    """Host, domain (with or without a leading dot or *), IP, network in CIDR form; each but the last with a port."""
    if entry == "*":
        return True
    host = address.host.lower()
    if "/" in entry:
        return _inside(host, entry)
    name, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and ("]" in name or ":" not in name):
        if int(port) != address.port:
            return False
        entry = name
    entry = entry.strip("[]")
    domain = entry.lstrip("*").lstrip(".")
    return bool(domain) and (host == domain or host.endswith("." + domain))


def _inside(host: str, network: str) -> bool:
    from ipaddress import ip_address, ip_network  # only for who names a network

    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
