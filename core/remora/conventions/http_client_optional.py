"""Opt-in attributes of sent requests: captured headers, sizes of bodies, the URL's template, the user agent."""

from __future__ import annotations

from remora.conventions import header_pairs, http_optional
from remora.conventions import url_cy as url
from remora.conventions.keys import (
    HTTP_REQUEST_BODY_SIZE,
    HTTP_RESPONSE_BODY_SIZE,
    NETWORK_PROTOCOL_VERSION,
    NETWORK_TRANSPORT,
    URL_SCHEME,
    URL_TEMPLATE,
    USER_AGENT_ORIGINAL,
    USER_AGENT_SYNTHETIC_TYPE,
)
from remora.telemetry import url_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.conventions.captured_headers import Captured
    from remora.conventions.url_templates import UrlTemplates

_MAX_TEMPLATE_CHARS = 256
_MAX_USER_AGENT_CHARS = 512


class HttpClientOptional:
    """``wanted`` are attribute keys; ``request`` and ``response`` the headers to capture, None for none."""

    def __init__(
        self,
        wanted: frozenset[str],
        request: Captured | None,
        response: Captured | None,
        templates: UrlTemplates | None,
    ) -> None:
        self._wanted = wanted
        self._request = request
        self._response = response
        self._templates = templates

    def begun(self, call: Any, name: str, attributes: dict[str, Any]) -> str:
        """Adds what a sampler may want to see; returns the span's name, which has the template if there is one."""
        try:
            template = url_template.current()
            if template is None and self._templates is not None:
                origin, rest = url.split(call.url)
                path = rest.partition("#")[0].partition("?")[0] or "/"
                template = self._templates.find(origin.address or "", path)
            if URL_SCHEME in self._wanted:
                scheme = url.split(call.url)[0].scheme
                if scheme:
                    attributes[URL_SCHEME] = scheme
            if template:
                attributes[URL_TEMPLATE] = template[:_MAX_TEMPLATE_CHARS]
                return f"{name} {attributes[URL_TEMPLATE]}"
        except Exception as error:
            http_optional.missed(error)
        return name

    def ended(self, call: Any, attributes: dict[str, Any]) -> None:
        """Adds what was sent, which some libraries only know by now, and what came back."""
        try:
            if self._request is not None:
                self._request.put(attributes, call.headers)
            if self._response is not None:
                self._response.put(attributes, call.response_headers)
            if self._wanted:
                self._put_wanted(call, attributes)
        except Exception as error:
            http_optional.missed(error)

    def _put_wanted(self, call: Any, attributes: dict[str, Any]) -> None:
        wanted = self._wanted
        for key, headers in ((HTTP_REQUEST_BODY_SIZE, call.headers), (HTTP_RESPONSE_BODY_SIZE, call.response_headers)):
            if key in wanted:
                size = header_pairs.length(headers)
                if size is not None:
                    attributes[key] = size
        if NETWORK_TRANSPORT in wanted:
            http_optional.put_transport(attributes, call.peer_address, attributes.get(NETWORK_PROTOCOL_VERSION))
        if USER_AGENT_ORIGINAL in wanted or USER_AGENT_SYNTHETIC_TYPE in wanted:
            agent = next((value for name, value in header_pairs.pairs(call.headers) if name == "user-agent"), None)
            if agent and USER_AGENT_ORIGINAL in wanted:
                attributes[USER_AGENT_ORIGINAL] = agent[:_MAX_USER_AGENT_CHARS]
            if USER_AGENT_SYNTHETIC_TYPE in wanted:
                http_optional.put_synthetic_type(attributes, agent)
