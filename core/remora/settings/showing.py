"""The rows of ``remora env``: every variable, its value now, and where that comes from."""

from __future__ import annotations

from remora.settings.loading import load
from remora.settings.safely import shown
from remora.settings.variables import VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Row:
    """One variable, as text: header values and the passwords of URLs are starred."""

    __slots__ = ("default", "doc", "name", "origin", "value")

    def __init__(self, name: str, value: str, default: str, origin: str, doc: str) -> None:
        self.name = name
        self.value = value
        self.default = default
        self.origin = origin
        self.doc = doc


def describe(environ: Mapping[str, str]) -> list[Row]:
    """Every variable with the value in force; an endpoint or folder that was not named is shown as what it becomes."""
    loaded = load(environ)
    settings = loaded.settings
    rows = []
    for variable in VARIABLES:
        value = loaded.values[variable.name]
        if variable.attribute.endswith("_otlp.endpoint"):
            value = getattr(settings, variable.attribute.partition(".")[0]).endpoint
        elif variable.attribute == "store_dir":
            value = settings.store_dir
        rows.append(
            Row(variable.name, shown(variable, value), variable.default, loaded.origins[variable.name], variable.doc)
        )
    return rows
