"""What would become of every plugin in a Python like this one: found, chosen and judged, but never armed."""

from __future__ import annotations

from remora.cli import references
from remora.host import rows
from remora.host.host import Host
from remora.host.installed import Installed
from remora.host.verdict import REFUSED, UNTESTED, judge
from remora.host.versions import requirement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final, NoReturn

    from remora.host.rows import Row
    from remora.settings import Settings

ON: Final = "on"
ON_UNTESTED: Final = "on, untested"
REFUSED_VERSION: Final = "refused"
OFF: Final = "off"
NOT_INSTALLED: Final = "not installed"


class Item:
    """One plugin: ``state`` is one of the words above, ``reason`` says why it is not simply on."""

    def __init__(self, row: Row, version: str | None, state: str, reason: str) -> None:
        self.kind = row.kind
        self.name = row.name
        self.version = version
        self.supports = row.supports
        self.state = state
        self.reason = reason
        self.source = row.source
        self.convention = row.instrumentation.convention if row.instrumentation is not None else None
        self.signal = row.producer.signal if row.producer is not None else None

    @property
    def distribution(self) -> str:
        """Who brings the plugin."""
        return self.source.rpartition(" of ")[2]

    @property
    def library(self) -> str:
        """Which version of the library is here, in a word."""
        if self.version is not None:
            return self.version
        return "" if self.supports or self.kind != rows.PLUGIN else "stdlib"

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "convention": self.convention,
            "signal": self.signal,
            "version": self.version,
            "supports": list(self.supports),
            "state": self.state,
            "reason": self.reason or None,
            "distribution": self.distribution,
            "source": self.source,
        }


class Catalogue:
    """Every plugin, and one line per plugin that is broken or setting that names none."""

    def __init__(self, items: list[Item], problems: list[str]) -> None:
        self.items = items
        self.problems = problems


def survey(settings: Settings, path: Sequence[str] | None = None) -> Catalogue:
    """Look at what is installed on ``path`` (default: sys.path). Manifests are imported, nothing else is."""
    installed = Installed(path)
    hooks: Any = _NoHooks()
    host = Host(installed, hooks)
    host.arm(settings, _never)
    found = host.report()
    items = [_item(row, installed) for row in found]
    problems = list(host.problems)
    for row, item in zip(found, items, strict=True):
        problems += references.broken(row)
        if item.kind == rows.PLUGIN and item.state in (ON, ON_UNTESTED):
            library = f"{row.name} {item.version}" if item.version else "the standard library"
            problems += filter(None, [references.untraceable(row, library)])
    return Catalogue(items, problems)


class _NoHooks:
    """Takes what would wait for imports, and forgets it."""

    def when_imported(self, *_: object) -> None: ...

    def remove(self) -> None: ...


def _never(row: Row) -> NoReturn:
    raise AssertionError(f"{row.name} was armed by a survey")


def _item(row: Row, installed: Installed) -> Item:
    names = [requirement(text)[0] for text in row.supports]
    version = next(filter(None, map(installed.version, names)), None)
    if names and version is None:
        return Item(row, None, NOT_INSTALLED, _absence(row, names))
    if row.state == rows.DISABLED:
        return Item(row, version, OFF, row.reason)
    if row.kind == rows.PRODUCER:
        return Item(row, None, ON, "")
    verdict = judge(row.supports, installed.version)
    state = {REFUSED: REFUSED_VERSION, UNTESTED: ON_UNTESTED}.get(verdict.standing, ON)
    return Item(row, version, state, verdict.reason)


def _absence(row: Row, names: list[str]) -> str:
    """Tells what is not installed from what is perhaps only called otherwise."""
    reason = f"no distribution is called {' or '.join(names)}"
    here = next((target for target in row.targets if row.kind == rows.PLUGIN and references.exists(target)), None)
    return f"{reason}, though module {here} is here: is it the name of another distribution?" if here else reason
