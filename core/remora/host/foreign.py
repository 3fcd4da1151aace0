"""OpenTelemetry's own instrumentors as guests: what is installed rides along, armed when its library is imported."""

from __future__ import annotations

import sys

from remora.diagnostics import say
from remora.host import rows
from remora.host.arming import accepted, armed
from remora.host.importhooks import NOT_NOW
from remora.host.importnames import import_names
from remora.host.installed import headers, normalized
from remora.host.references import resolve, told
from remora.host.rows import Row
from remora.host.versions import UnreadableError, place, requirement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType
    from typing import Any

    from remora.host.importhooks import Callback, ImportHooks
    from remora.host.installed import EntryPoint, Installed
    from remora.host.manifest import Instrumentation

# Instrumentors of what no distribution stands for; the metadata of these names no requirement.
_WITHOUT_DISTRIBUTION = {
    "asgi": ("asgiref",),
    "asyncio": ("asyncio",),
    "aws_lambda": ("awslambdaric",),
    "logging": ("logging",),
    "sqlite3": ("sqlite3",),
    "threading": ("threading",),
    "urllib": ("urllib.request",),
    "wsgi": ("wsgiref",),
}


class Guest:
    """One instrumentor: ``all_of`` its requirements must be met, or ``any_of`` them; ``targets`` are waited for."""

    __slots__ = ("all_of", "any_of", "entry_point", "targets")

    def __init__(self, entry_point: EntryPoint, installed: Installed) -> None:
        self.entry_point = entry_point
        self.all_of, self.any_of = _requirements(entry_point)
        self.targets = self._targets(installed)

    @property
    def supports(self) -> tuple[str, ...]:
        return (*self.all_of, *self.any_of)

    @property
    def libraries(self) -> set[str]:
        return {normalized(requirement(text)[0]) for text in self.supports}

    def _targets(self, installed: Installed) -> tuple[str, ...]:
        name = self.entry_point.name.replace("-", "_")
        if not self.supports:
            return _WITHOUT_DISTRIBUTION.get(name, (name,))
        known = installed.distributions()
        # Of several libraries the one it is named after counts: tortoise-orm, not pydantic; aiobotocore, not botocore.
        own = [library for library in self.libraries if _bare(library) == _bare(name)]
        found: dict[str, None] = {}
        for library in sorted(own or self.libraries):
            found.update(dict.fromkeys(import_names(library, known.get(library))))
        return tuple(found)


def same_library(guest: Guest, native: Instrumentation) -> bool:
    """Whether a plugin of ours does what the guest does: one span per call, so only one of them may ride."""
    if _bare(guest.entry_point.name) == _bare(native.name):
        return True
    if native.convention == "pool":
        return False  # it counts connections, and makes no spans
    if _side(guest.entry_point.name) + _side(native.convention) in ("clientserver", "serverclient"):
        return False  # aiohttp has both, and they are two instrumentors
    if guest.libraries & {normalized(requirement(text)[0]) for text in native.supports}:
        return True
    return any(hook == target or hook.startswith(f"{target}.") for hook in native.hooks for target in guest.targets)


class Guests:
    """Arms guests: once their library is there, the instrumentor is loaded and its ``instrument()`` is called."""

    def __init__(self, hooks: ImportHooks, installed: Installed) -> None:
        self._hooks = hooks
        self._installed = installed
        self._loaded_by_us: set[str] = set()

    def invite(
        self, entry_points: Iterable[EntryPoint], natives: Sequence[Instrumentation], wanted: Callable[[Row], bool]
    ) -> None:
        """Arm every instrumentor that is ``wanted`` and whose library no plugin of ours (``natives``) takes care of."""
        names: set[str] = set()
        for entry_point in entry_points:
            guest = Guest(entry_point, self._installed)
            row = Row(rows.GUEST, entry_point.name, str(entry_point), supports=guest.supports, targets=guest.targets)
            if not wanted(row):
                continue
            native = next((native for native in natives if same_library(guest, native)), None)
            if native is not None:
                row.move(rows.DISABLED, f"the plugin {native.name} takes care of this library")
            elif entry_point.name in names:
                row.move(rows.DISABLED, "another instrumentor of that name was found first")
            else:
                names.add(entry_point.name)
                for target in guest.targets:
                    self._hooks.when_imported(target, self._callback(row, guest))

    def _callback(self, row: Row, guest: Guest) -> Callback:
        return lambda _: self._imported(row, guest)

    def _imported(self, row: Row, guest: Guest) -> object:
        if row.state != rows.WAITING:
            return None
        module = guest.entry_point.value.partition(":")[0]
        if module in sys.modules and module not in self._loaded_by_us:
            row.move(rows.DISABLED, f"left to the program, which imports {module} itself")
            return None
        root = module.partition(".")[0]
        if _is_being_imported(root):
            row.reason = f"waits until {root} is imported whole"
            return NOT_NOW
        from remora.host.verdict import judge, judge_all  # not at start: only when a library is imported

        version_of = self._installed.version
        if accepted(row, judge_all(guest.all_of, version_of) if guest.all_of else judge(guest.any_of, version_of)):
            self._instrument(row, guest.entry_point)
        return None

    def _instrument(self, row: Row, entry_point: EntryPoint) -> None:
        armed(row)  # before it is: what it imports may be what another hook of the row waits for
        before = set(sys.modules)
        instrumentor: Any = None
        try:
            make: Any = resolve(entry_point.value)  # imports opentelemetry, which is why it waited until now
            instrumentor = make()
            # The versions were checked above, with more patience: a newer library is no conflict.
            instrumentor.instrument(skip_dep_check=True)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as failure:
            row.move(rows.FAILED, f"{entry_point.value} failed: {told(failure)}")
            say(f"host.failed.guest.{row.name}", f"guest {row.name} of {row.source} is taken out: {row.reason}")
            _take_out(instrumentor)
        finally:
            self._loaded_by_us |= set(sys.modules) - before


def _take_out(instrumentor: Any) -> None:
    try:
        if getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
            instrumentor.uninstrument()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as failure:
        say(f"host.undo.{type(instrumentor).__name__}", f"{type(instrumentor).__name__}.uninstrument: {told(failure)}")


def _is_being_imported(root: str) -> bool:
    """Whether a module of that top-level package is half imported by the program: ours would find half a module."""
    return any(
        (name == root or name.startswith(f"{root}.")) and _is_initializing(module)
        for name, module in tuple(sys.modules.items())
    )


def _is_initializing(module: ModuleType | None) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _requirements(entry_point: EntryPoint) -> tuple[tuple[str, ...], tuple[str, ...]]:
    all_of, any_of = [], []
    for line in headers(entry_point.distribution.text("METADATA")):
        if line[:14].lower() != "requires-dist:" or "instruments" not in line:
            continue
        text, _, marker = line[14:].partition(";")
        marker = marker.replace('"', "'").replace(" ", "")
        if not _applies(marker):
            continue
        if "extra=='instruments-any'" in marker:
            any_of.append(text.strip())
        elif "extra=='instruments'" in marker:
            all_of.append(text.strip())
    return tuple(all_of), tuple(any_of)


def _applies(marker: str) -> bool:
    """Whether the ``python_version`` parts of a marker hold; the others are taken to hold."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for clause in marker.strip("()").split("and"):
        name, quote, version = clause.strip("()'").partition("'")
        if quote and name.startswith("python_version"):
            try:
                return place(python, name[len("python_version") :] + version) == "inside"
            except UnreadableError:
                return True
    return True


def _bare(name: str) -> str:
    return normalized(name).replace("-", "")


def _side(name: str) -> str:
    return next((side for side in ("client", "server") if side in _parts(name)), "")


def _parts(name: str) -> Iterable[str]:
    return normalized(name).split("-")
