"""What a plugin says about itself: rows of data, checked when they are made, importing nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn

    Type = type

SIGNALS = ("traces", "metrics", "logs", "profiles")
OPTION_TYPES = (bool, int, float, str, tuple)


class ManifestError(ValueError):
    """A row that cannot be meant; says which plugin, which field, and how to write it."""


class _Data:
    """Attributes are given at birth and stay; two rows that say the same are equal.

    Not a dataclass: three of those would cost every process 4 ms at start.
    """

    __slots__: tuple[str, ...] = ()

    def __setattr__(self, name: str, _: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} is fixed")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, slot) == getattr(other, slot) for slot in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{slot}={getattr(self, slot)!r}' for slot in self.__slots__)})"

    def _keep(self, **values: object) -> None:
        for slot, value in values.items():
            object.__setattr__(self, slot, value)

    def _refuse(self, name: object, field: str, value: object, mend: str) -> NoReturn:
        raise ManifestError(f"{type(self).__name__} {name!r}: {field} is {value!r}; {mend}")

    def _check_name(self, name: object) -> None:
        if not isinstance(name, str) or not name or not name.isascii():
            self._refuse(name, "name", name, 'give a short text such as "requests"')
        if not all(character.isalnum() or character in "_-." for character in name):
            self._refuse(name, "name", name, "use letters, digits, '_', '-' and '.': users write it in lists and globs")

    def _check_text(self, name: object, field: str, value: object) -> None:
        if not isinstance(value, str):
            self._refuse(name, field, value, "it must be a text")

    def _check_reference(self, name: object, field: str, value: object) -> None:
        if isinstance(value, str):
            module, colon, function = value.partition(":")
            if colon and function.isidentifier() and all(part.isidentifier() for part in module.split(".")):
                return
        self._refuse(name, field, value, 'write "package.module:function", as text, so that nothing is imported early')


class Option(_Data):
    """One thing a user may set for a plugin: ``type`` is bool, int, float, str or tuple (of texts)."""

    name: str
    type: Type
    default: object
    doc: str

    __slots__ = ("default", "doc", "name", "type")

    def __init__(self, name: str, type: Type, default: object, doc: str) -> None:  # noqa: A002 - the field's name
        self._check_name(name)
        if type not in OPTION_TYPES:
            self._refuse(name, "type", type, "use bool, int, float, str or tuple")
        if default is not None and not isinstance(default, type):
            self._refuse(name, "default", default, f"give a {type.__name__}, or None for unset")
        self._check_text(name, "doc", doc)
        self._keep(name=name, type=type, default=default, doc=doc)


class Instrumentation(_Data):
    """How one library is instrumented.

    ``supports``: the versions it was tested with, any one of them, as requirements on distributions
    ("psycopg2>=2.8,<3", "psycopg2-binary>=2.8,<3"); empty for the standard library. A newer version is patched all the
    same and marked, an older one is refused.
    ``hooks``: module of the library -> "module:function" to call as ``function(module, patcher)`` once that module was
    imported by the program. All hooks of a row share one patcher.
    ``convention``: what the calls mean, by its name in ``remora.conventions`` ("http.client").
    ``default_on``: False if a user must ask for it by name.

    Raises ManifestError, which names the plugin, the field and the mend.
    """

    name: str
    supports: tuple[str, ...]
    hooks: dict[str, str]
    convention: str
    options: tuple[Option, ...]
    default_on: bool
    doc: str

    __slots__ = ("convention", "default_on", "doc", "hooks", "name", "options", "supports")

    def __init__(
        self,
        name: str,
        *,
        hooks: dict[str, str],
        convention: str,
        supports: Iterable[str] = (),
        options: Iterable[Option] = (),
        default_on: bool = True,
        doc: str = "",
    ) -> None:
        self._check_name(name)
        self._check_hooks(name, hooks)
        self._check_text(name, "convention", convention)
        self._check_text(name, "doc", doc)
        if isinstance(supports, str):
            self._refuse(name, "supports", supports, f"write a tuple: supports=({supports!r},)")
        self._keep(
            name=name,
            supports=tuple(supports),
            hooks=dict(hooks),
            convention=convention,
            options=tuple(options),
            default_on=bool(default_on),
            doc=doc,
        )
        for requirement in self.supports:
            self._check_requirement(requirement)
        if not all(isinstance(option, Option) for option in self.options):
            self._refuse(name, "options", self.options, "give Option rows")

    def _check_hooks(self, name: str, hooks: object) -> None:
        if not hooks or not isinstance(hooks, dict):
            self._refuse(name, "hooks", hooks, 'write {"library.module": "plugin.module:function"}')
        for target, reference in hooks.items():
            if not isinstance(target, str) or not all(part.isidentifier() for part in target.split(".")):
                self._refuse(name, "hooks", target, "its keys are names of modules as the program imports them")
            self._check_reference(name, f"hooks[{target!r}]", reference)

    def _check_requirement(self, text: object) -> None:
        if not isinstance(text, str) or not text[:1].isalnum():
            self._refuse(self.name, "supports", text, 'write requirements such as "requests>=2.20,<3"')


class Producer(_Data):
    """A source of telemetry that is started rather than patched in.

    ``start``: "module:function", imported and called once the process is ready. ``signal``: traces, metrics, logs or
    profiles. ``default_on``: False if a user must ask for it by name. Raises ManifestError.
    """

    name: str
    start: str
    signal: str
    default_on: bool
    doc: str

    __slots__ = ("default_on", "doc", "name", "signal", "start")

    def __init__(self, name: str, start: str, signal: str, default_on: bool = False, doc: str = "") -> None:
        self._check_name(name)
        self._check_reference(name, "start", start)
        if signal not in SIGNALS:
            self._refuse(name, "signal", signal, f"use one of {', '.join(SIGNALS)}")
        self._check_text(name, "doc", doc)
        self._keep(name=name, start=start, signal=signal, default_on=bool(default_on), doc=doc)
