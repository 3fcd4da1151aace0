"""What the settings ask of every HTTP call, worked out once; an instrumentation gets None for what nobody asks for."""

from __future__ import annotations

from remora import diagnostics
from remora.conventions import http_server_cy
from remora.conventions.keys import HTTP_REQUEST_HEADER, HTTP_RESPONSE_HEADER
from remora.host import importhooks
from remora.settings.variables import HTTP_CLIENTS, HTTP_SERVERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from remora.conventions.captured_headers import Captured
    from remora.conventions.excluded import Excluded
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
        self._excluding: dict[str, Excluded] = {}
        self._say_unknown()
        self._configure_databases()
        http_server_cy.trust_forwarded(settings.trust_forwarded)
        # A program that names its URLs imports this for it; without, nobody has to ask for names.
        importhooks.installed().when_imported(
            "remora.telemetry.url_template", lambda module: module.when_used(self._templates_are_used)
        )

    def furnish(self, operations: Operations, row: Row) -> None:
        """Gives an instrumentation what it has to obey."""
        operations.reaches = self._reaches
        convention = row.instrumentation.convention if row.instrumentation is not None else ""
        if convention in (_SERVER, _CLIENT):
            operations.excluded = self._excluded(row.name, convention)
            operations.optional = self._optional[convention]
        if convention == _CLIENT:
            self._clients.append(operations)
        if convention == "messaging":
            from remora.conventions import messaging  # deferred: only where there is messaging

            messaging.configure(self._settings.message_parent)

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

        self._excluding[name] = Excluded(own, settings.excluded_urls)
        return self._excluding[name]

    def left_out(self) -> dict[str, int]:
        """How many requests each instrumentation has left out, of those that may leave some out."""
        return {name: excluded.left_out for name, excluded in self._excluding.items()}

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
        wanted = self._wanted("SERVER")
        if request is None and response is None and not wanted:
            return None
        from remora.conventions import http_server_optional

        return http_server_optional.HttpServerOptional(wanted, request, response)

    def _wanted(self, side: str) -> frozenset[str]:
        names = self._settings.optional_attributes
        if not names:
            return frozenset()
        from remora.conventions import http_optional

        return http_optional.wanted(names, getattr(http_optional, side))

    def _say_unknown(self) -> None:
        if not self._settings.optional_attributes:
            return
        from remora.conventions import database_optional, http_optional

        of_databases = {name for name in self._settings.optional_attributes if database_optional.wanted((name,))}
        for name in http_optional.unknown(self._settings.optional_attributes):
            if name in of_databases:
                continue
            diagnostics.say(
                f"optional-{name}",
                f"REMORA_OPTIONAL_ATTRIBUTES names {name!r}, which fits none of "
                f"{', '.join(sorted({*http_optional.SERVER, *http_optional.CLIENT, *database_optional.OFFERED}))}",
            )

    def _configure_databases(self) -> None:
        settings = self._settings
        if settings.optional_attributes or settings.sqlcommenter:
            from remora.conventions import database_optional

            database_optional.configure(settings.optional_attributes, settings.sqlcommenter)

    def _client_optional(self, templates_are_used: bool = False) -> Any:
        settings = self._settings
        request = self._captured("client_request", HTTP_REQUEST_HEADER)
        response = self._captured("client_response", HTTP_RESPONSE_HEADER)
        wanted = self._wanted("CLIENT")
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
