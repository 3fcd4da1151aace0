"""Routes that are regular expressions, wholly or in part, as templates one can read."""

from __future__ import annotations

import re

# A group of a regular expression: escaped characters, character classes, other groups one level deep.
_PART = r"(?:\\.|\[(?:\\.|[^\]\\])*\]|[^()\[\]\\])"
_GROUP = re.compile(rf"\((?:\?P(?P<name><\w+>)|(?!\?))(?:{_PART}|\({_PART}*\))*\)")
_ESCAPED = re.compile(r"\\([-./_])")
_MAX_ROUTES = 4096

_templates: dict[str, str] = {}


def template(route: str) -> str:
    """The route with a leading slash, and groups of regular expressions reduced to what they are called."""
    return _templates.get(route) or _made(route)


def _made(route: str) -> str:
    text = route
    if "(?P<" in text or "^" in text or "$" in text or "\\" in text:
        text = text.removeprefix("^").removesuffix("\\Z").removesuffix("$")
        text = _ESCAPED.sub(r"\1", _GROUP.sub(lambda group: group["name"] or "<var>", text))
    text = f"/{text.removeprefix('/')}"
    if len(_templates) < _MAX_ROUTES:
        _templates[route] = text
    return text
