"""What the settings ask of every HTTP call, worked out once; an instrumentation gets None for what nobody asks for."""

from __future__ import annotations

from remora import diagnostics
from remora.conventions import http_optional, http_server_cy
from remora.conventions.keys import HTTP_REQUEST_HEADER, HTTP_RESPONSE_HEADER
from remora.settings.variables import HTTP_CLIENTS, HTTP_SERVERS
from remora.telemetry import url_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from remora.conventions.captured_headers import Captured
    from remora.host.rows import Row
    from remora.operation.running_cy import Operations
    from remora.settings import Settings

_SERVER: Final = "http.server"
_CLIENT: Final = "http.client"

# Of OpenTelemetry's variables for one library, whose they are; the others listed are called as their instrumentation.
_LISTS: Final = {
    "aiohttp-client": "aiohttp_client",
    "aiohttp-server": "aiohttp_server",
    "httpx2": "httpx",
    "tornado-server": "tornado",
    "urllib.request": "urllib",
}


class House:
    """The rules of the house for HTTP."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reaches = self._destinations()
        self._optional = {_SERVER: self._server_optional(), _CLIENT: self._client_optional()}
        self._clients: list[Operations] = []
        self._say_unknown()
        http_server_cy.trust_forwarded(settings.trust_forwarded)
        url_template.when_used(self._templates_are_used)

    def furnish(self, operations: Operations, row: Row) -> None:
        """Gives an instrumentation what it has to obey."""
        operations.reaches = self._reaches
        convention = row.instrumentation.convention if row.instrumentation is not None else ""
        if convention in (_SERVER, _CLIENT):
            operations.excluded = self._excluded(row.name, convention)
            operations.optional = self._optional[convention]
        if convention == _CLIENT:
            self._clients.append(operations)

    def _excluded(self, name: str, convention: str) -> Any:
        settings = self._settings
        lists = settings.excluded_expressions
        own = lists.get(_LISTS.get(name, name))
        if own is None:
            # A server or a framework without a variable of its own cannot tell whose requests it serves.
            alike = HTTP_SERVERS if convention == _SERVER else HTTP_CLIENTS
            own = tuple(dict.fromkeys(item for library in alike for item in lists[library.lower()]))
        if not own and not settings.excluded_urls:
            return None
        from remora.conventions.excluded import Excluded  # deferred, as all below: only where somebody asks for it

        return Excluded(own, settings.excluded_urls)

    def _destinations(self) -> Any:
        if self._settings.propagate_to == ("*",):
            return None
        from remora.conventions.destinations import Destinations

        return Destinations(self._settings.propagate_to)

    def _captured(self, side: str, attribute: str) -> Captured | None:
        wanted = self._settings.captured_headers[side]
        if not wanted:
            return None
        from remora.conventions.captured_headers import Captured

        return Captured(attribute, wanted, self._settings.sanitized_headers)

    def _server_optional(self) -> Any:
        request = self._captured("server_request", HTTP_REQUEST_HEADER)
        response = self._captured("server_response", HTTP_RESPONSE_HEADER)
        wanted = http_optional.wanted(self._settings.optional_attributes, http_optional.SERVER)
        if request is None and response is None and not wanted:
            return None
        from remora.conventions import http_server_optional

        return http_server_optional.HttpServerOptional(wanted, request, response)

    def _say_unknown(self) -> None:
        for name in http_optional.unknown(self._settings.optional_attributes):
            diagnostics.say(
                f"optional-{name}",
                f"REMORA_OPTIONAL_ATTRIBUTES names {name!r}, which fits none of "
                f"{', '.join(sorted({*http_optional.SERVER, *http_optional.CLIENT}))}",
            )

    def _client_optional(self, templates_are_used: bool = False) -> Any:
        settings = self._settings
        request = self._captured("client_request", HTTP_REQUEST_HEADER)
        response = self._captured("client_response", HTTP_RESPONSE_HEADER)
        wanted = http_optional.wanted(settings.optional_attributes, http_optional.CLIENT)
        asked = templates_are_used or settings.url_templates or wanted
        if request is None and response is None and not asked:
            return None
        from remora.conventions import http_client_optional

        templates = None
        if settings.url_templates:
            from remora.conventions.url_templates import UrlTemplates

            templates = UrlTemplates(settings.url_templates)
        return http_client_optional.HttpClientOptional(wanted, request, response, templates)

    def _templates_are_used(self) -> None:
        if self._optional[_CLIENT] is None:
            self._optional[_CLIENT] = self._client_optional(templates_are_used=True)
            for operations in self._clients:
                operations.optional = self._optional[_CLIENT]
