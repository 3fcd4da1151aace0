"""Elasticsearch and OpenSearch: a database call that is a request of HTTP, told by one span for both."""

from __future__ import annotations

from remora.conventions import query_documents, redaction
from remora.conventions import url_cy as url
from remora.conventions.call import DATABASE, HTTP_CLIENT
from remora.conventions.database import DEFAULT_PORTS, DatabaseCall
from remora.conventions.keys import (
    DB_NAMESPACE,
    DB_OPERATION_PARAMETER,
    ELASTICSEARCH_NODE_NAME,
    HTTP_REQUEST_METHOD,
    SERVER_ADDRESS,
    SERVER_PORT,
    URL_FULL,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_MAX_DESCRIPTION_CHARS = 512
# Groups of endpoints, whose next word is the endpoint and not the name of a thing.
_GROUPS = frozenset({"cat", "cluster", "ilm", "ingest", "ml", "plugins", "security", "slm", "sql", "transform"})
_DOCUMENT = {"GET": "get", "HEAD": "exists", "PUT": "index", "POST": "index", "DELETE": "delete"}
# What they are sent is a query; of the others it is data.
_SEARCHES = frozenset(
    {
        "async_search.submit",
        "count",
        "delete_by_query",
        "eql.search",
        "msearch",
        "msearch_template",
        "search",
        "search_template",
        "terms_enum",
        "update_by_query",
    }
)
_INDEX = {"GET": "indices.get", "HEAD": "indices.exists", "PUT": "indices.create", "DELETE": "indices.delete"}


def redacted(message: object, limit: int = redaction.MAX_TEXT_CHARS) -> str:
    """A message or stack trace in which what the server quotes in brackets is REDACTED."""
    text = redaction.database_text(message, limit)
    return "\n".join(map(_line, text.split("\n"))) if "[" in text else text


class SearchEngineCall(DatabaseCall):
    """One call of the client; ``path`` is that of the request, ``parameters`` the names in its query string.

    ``operation`` is the endpoint (``search``), worked out from method and path if the client does not tell; ``body`` is
    what is sent to it. ``parts`` are the variable parts of the path by name, an ``index`` among them. Afterwards
    ``node`` may be set to (scheme, host, port, prefix of the path), ``node_name`` and ``cluster`` to what a managed
    service calls them.
    """

    family = DATABASE | HTTP_CLIENT  # the request beneath is this very call
    redacts = staticmethod(redacted)
    __slots__ = ("cluster", "method", "node", "node_name", "parameters", "parts", "path")

    def __init__(
        self,
        system: str,
        method: str,
        path: str,
        *,
        operation: str | None = None,
        parts: Mapping[str, Any] | None = None,
        parameters: Iterable[str] = (),
        body: object = None,
        node: tuple[str, str, int, str] | None = None,
    ) -> None:
        path = path.partition("?")[0]
        index = parts.get("index") if parts else _index_in(path)
        super().__init__(system, operation=operation or endpoint(method, path), collection=index)
        self.method = method
        self.path = path
        self.parts = parts
        self.parameters = parameters
        self.node = node
        self.node_name: str | None = None
        self.cluster: str | None = None
        if body is not None and self.operation in _SEARCHES:
            self.text = query_documents.shown(body)
            self.parameterized = True
        if node is not None:
            self.host, self.port = node[1], node[2]

    def doubles(self, outer: Any) -> bool:
        """A request of the client's own within a call: it looks for the other nodes."""
        return isinstance(outer, SearchEngineCall)

    def start(self) -> dict[str, Any]:
        """Adds the request."""
        attributes: dict[str, Any] = super().start()
        attributes[HTTP_REQUEST_METHOD] = self.method
        if self.node is not None:
            attributes[URL_FULL] = self._url(self.node)
        for name, value in (self.parts or {}).items():
            attributes[f"{DB_OPERATION_PARAMETER}.{name}"] = str(value)
        return attributes

    def end(self, exception: Any) -> dict[str, Any]:
        """Adds the node that answered, where that was not known before."""
        attributes: dict[str, Any] = super().end(exception)
        if exception is not None and self.cluster is None and self.node_name is None:
            self.cluster, self.node_name = managed(getattr(exception, "meta", None))
        node = self.node
        if node is not None and self.host != node[1]:
            attributes[SERVER_ADDRESS] = node[1]
            if node[2] != DEFAULT_PORTS.get(self.system):
                attributes[SERVER_PORT] = node[2]
            attributes[URL_FULL] = self._url(node)
        if self.cluster:
            attributes[DB_NAMESPACE] = self.cluster
        if self.node_name:
            attributes[ELASTICSEARCH_NODE_NAME] = self.node_name
        return attributes

    def description(self, exception: Any) -> str | None:
        """The server's reason without what it quotes of the query."""
        return None if exception is None else redacted(str(exception))[:_MAX_DESCRIPTION_CHARS] or None

    def _url(self, node: tuple[str, str, int, str]) -> str:
        scheme, host, port, prefix = node
        origin, rest = url.split(url.absolute(scheme, host, port, (prefix or "") + self.path))
        query = "&".join(f"{name}={redaction.REDACTED}" for name in self.parameters)
        return url.full(origin, rest) + ("?" + query if query else "")


def managed(meta: Any) -> tuple[str | None, str | None]:
    """What a managed service calls the cluster and the node that answered; ``meta`` is an answer's or an error's."""
    headers = getattr(meta, "headers", None)
    if headers is None:
        return None, None
    return headers.get("x-found-handling-cluster"), headers.get("x-found-handling-instance")


def endpoint(method: str, path: str) -> str:
    """``search`` for ``/goods/_search``: what a request is for, where the client does not tell."""
    words = [word for word in path.split("/") if word]
    for position, word in enumerate(words):
        if word[0] != "_":
            continue
        name = word[1:]
        if name == "doc":
            return _DOCUMENT.get(method, name)
        if name in _GROUPS and position + 1 < len(words):
            return f"{name}.{words[position + 1].removeprefix('_')}"
        return name
    if words:
        return _INDEX.get(method, method)
    return "ping" if method == "HEAD" else "info"


def _index_in(path: str) -> str | None:
    first = path.lstrip("/").partition("/")[0]
    return first if first and first[0] != "_" else None


def _line(line: str) -> str:
    """Lines of source code in a stack trace are no messages; what is in brackets may nest."""
    if line.startswith("  ") or "[" not in line:
        return line
    pieces: list[str] = []
    depth = 0
    for piece in line.replace("[", "\0[").replace("]", "\0]").split("\0"):
        depth = max(depth + (piece[:1] == "[") - (piece[:1] == "]"), 0)
        if depth and piece[:1] == "[" and not piece[1:].isdigit():
            pieces.append("[" + redaction.REDACTED if depth == 1 else "")
        elif depth == 0 or piece[1:].isdigit():
            pieces.append(piece)
    return "".join(pieces)
