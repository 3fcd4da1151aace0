"""From the text "module:function" to the object, and from a failure to one line of text."""

from __future__ import annotations

import sys

_LONGEST_CAUSE = 300


def resolve(reference: str) -> object:
    """Import the module and follow the names; whatever the import raises passes."""
    module_name, _, names = reference.partition(":")
    __import__(module_name)
    found: object = sys.modules[module_name]
    for name in names.split(".") if names else ():
        found = getattr(found, name)
    return found


def told(failure: BaseException) -> str:
    """Type and message of a failure of plugin code that has seen no data of the program yet, on one line."""
    try:
        message = " ".join(str(failure).split())[:_LONGEST_CAUSE]
    except Exception:
        message = ""
    return f"{type(failure).__name__}: {message}" if message else type(failure).__name__
