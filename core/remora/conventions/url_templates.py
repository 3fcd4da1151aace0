"""Which template an outgoing request's path was made from: none can be guessed, so the user lists them."""

from __future__ import annotations

from remora.conventions import globs

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable


class UrlTemplates:
    """Templates such as ``/users/{id}`` or ``*.example.com/users/:id``; the first that fits counts."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._listed = [_read(template) for template in templates]

    def find(self, host: str, path: str) -> str | None:
        """The template of a path on a host."""
        for hosts, paths, template in self._listed:
            if paths.match(path) and (hosts is None or hosts.match(host)):
                return template
        return None


def _read(text: str) -> tuple[re.Pattern[str] | None, re.Pattern[str], str]:
    import re  # deferred: only where somebody lists templates

    host, slash, rest = text.partition("/")
    template = slash + rest
    parts = re.split(r"(\{[^{}/]*\}|(?<=/):\w+)", template)
    path = "".join("[^/]+" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return globs.any_of([host], ignore_case=True) if host else None, re.compile(f"{path}/?\\Z"), template
