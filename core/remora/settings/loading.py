"""From an environment to Settings: precedence, defaults, and one line for each thing that is wrong."""

from __future__ import annotations

import os

from remora.settings import endpoints
from remora.settings.shape import Otlp, Settings
from remora.settings.variables import GROUPS, NOT_SETTINGS, SIGNALS, VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Final

    from remora.settings.variables import Variable

ENVIRONMENT: Final = "environment"
DEFAULT: Final = "default"

_RATIO_SAMPLERS = ("traceidratio", "parentbased_traceidratio")
_SUSPICIOUS_TIMEOUT_MS = 60


class Loaded:
    """The settings, one line per problem, and for every variable its own value and where that comes from.

    An origin is ``environment``, ``default``, or the name of the general variable that stood in.
    """

    __slots__ = ("origins", "problems", "settings", "values")

    def __init__(
        self, settings: Settings, problems: list[str], origins: dict[str, str], values: dict[str, Any]
    ) -> None:
        self.settings = settings
        self.problems = tuple(problems)
        self.origins = origins
        self.values = values


def load(environ: Mapping[str, str]) -> Loaded:
    """Read every variable; a wrong value is told in ``problems`` and counts as not set. Empty means not set."""
    reading = _Reading(environ)
    reading.read_all()
    values = reading.values
    filled: dict[str, Any] = {v.attribute: values[v.name] for v in VARIABLES if v.attribute and "." not in v.attribute}
    filled["enabled"] = values["REMORA_ENABLED"] and not values["OTEL_SDK_DISABLED"]
    filled["store_dir"] = _store_dir(values["REMORA_STORE_DIR"], environ)
    for signal in SIGNALS:
        filled[f"{signal}_otlp"] = reading.otlp(signal)
    for group in GROUPS:
        filled[group] = {
            v.attribute[len(group) + 1 :]: values[v.name] for v in VARIABLES if v.attribute.startswith(f"{group}.")
        }
    reading.problems += _unknown_names(environ)
    return Loaded(Settings(**filled), reading.problems, reading.origins, values)


class _Reading:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.problems: list[str] = []

    def read_all(self) -> None:
        for variable in VARIABLES:
            self._read(variable)
        self._check_sampler_argument()
        self._check_batch_size("OTEL_BSP")
        self._check_batch_size("OTEL_BLRP")
        self._check_timeout_units()

    def otlp(self, signal: str) -> Otlp:
        prefix = f"{signal}_otlp."
        chosen = {
            variable.attribute[len(prefix) :]: self.values[variable.name]
            for variable in VARIABLES
            if variable.attribute.startswith(prefix)
        }
        chosen["endpoint"], chosen["configured"] = self._endpoint(signal, chosen["protocol"])
        scheme = endpoints.scheme(chosen["endpoint"])
        if scheme:
            chosen["insecure"] = scheme == "http"
        return Otlp(**chosen)

    def _read(self, variable: Variable) -> None:
        name = variable.name
        raw = self.environ.get(name, "").strip()
        if raw:
            try:
                self.values[name] = variable.parser(raw)
                self.origins[name] = ENVIRONMENT
            except ValueError as wrong:
                self._stand_in(variable)
                self._reject(name, raw, str(wrong), self.values[name])
        else:
            self._stand_in(variable)

    def _stand_in(self, variable: Variable) -> None:
        general = variable.falls_back_to
        if general and self.origins[general] == ENVIRONMENT:
            self.values[variable.name] = self.values[general]
            self.origins[variable.name] = general
        else:
            self.values[variable.name] = variable.parser(variable.default)
            self.origins[variable.name] = DEFAULT

    def _reject(self, name: str, raw: str, accepted: str, used: object) -> None:
        from remora.settings.safely import rejection  # only where something is wrong: a light boot

        variable = next(variable for variable in VARIABLES if variable.name == name)
        problem = rejection(variable, raw, accepted, used)
        if problem not in self.problems:
            self.problems.append(problem)

    def _check_sampler_argument(self) -> None:
        name = "OTEL_TRACES_SAMPLER_ARG"
        raw = self.values[name]
        if raw is None or self.values["OTEL_TRACES_SAMPLER"] not in _RATIO_SAMPLERS:
            return
        try:
            fits = 0.0 <= float(raw) <= 1.0
        except ValueError:
            fits = False
        if not fits:
            self.values[name], self.origins[name] = None, DEFAULT
            self._reject(name, raw, "a ratio from 0 to 1", None)

    def _check_batch_size(self, group: str) -> None:
        """A batch never holds more than the queue; worth a word only where somebody chose the batch's size."""
        batch, queue = f"{group}_MAX_EXPORT_BATCH_SIZE", f"{group}_MAX_QUEUE_SIZE"
        given, most = self.values[batch], self.values[queue]
        if given <= most:
            return
        self.values[batch] = most
        if self.origins[batch] == ENVIRONMENT:
            self._reject(batch, str(given), f"up to {queue}", most)

    def _check_timeout_units(self) -> None:
        """The SDK for Python reads seconds here, against the specification: its 10 would let every export fail."""
        for name, origin in self.origins.items():
            if origin == ENVIRONMENT and name.startswith("OTEL_") and name.endswith("_TIMEOUT"):
                milliseconds = self.values[name] * 1000
                if milliseconds <= _SUSPICIOUS_TIMEOUT_MS:
                    self.problems.append(f"{name}: '{milliseconds:.0f}' is read as milliseconds, which is very short")

    def _endpoint(self, signal: str, protocol: str) -> tuple[str, bool]:
        specific, general = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
        for name in (specific, general):
            if not self._names_endpoint(name, protocol):
                continue
            self.origins[specific] = ENVIRONMENT if name == specific else general
            endpoint: str = self.values[name]
            as_is = name == specific or protocol == "grpc"
            return (endpoint if as_is else endpoints.below_base(endpoint, signal)), True
        self.origins[specific] = DEFAULT
        return endpoints.default_endpoint(signal, protocol), False

    def _names_endpoint(self, name: str, protocol: str) -> bool:
        """Whether the variable gives this protocol something to connect to; gRPC takes targets without a scheme."""
        if self.origins[name] != ENVIRONMENT:
            return False
        endpoint = self.values[name]
        if protocol == "grpc" or endpoints.scheme(endpoint):
            return True
        self._reject(name, endpoint, f"a URL that starts with http:// or https://, as {protocol} needs it", None)
        return False


def _store_dir(chosen: str | None, environ: Mapping[str, str]) -> str:
    """An absolute path, because programs change their folder."""
    if chosen:
        return _absolute(_home_expanded(chosen, environ))
    state = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):  # the XDG specification has relative paths ignored
        state = _home_expanded("~/.local/state", environ)
    return os.path.join(_absolute(state), "remora")


def _home_expanded(path: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    if home and (path == "~" or path.startswith("~/")):
        return home + path[1:]
    return os.path.expanduser(path)


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(path)
    except OSError:  # the current folder is gone
        return os.path.join("/", path)


def _unknown_names(environ: Mapping[str, str]) -> Iterator[str]:
    names = [name for name in environ if name.startswith("REMORA_")]
    if names:
        from remora.settings.safely import nearest  # only where something may be wrong: a light boot

        known = [variable.name for variable in VARIABLES if variable.name.startswith("REMORA_")]
        for name in names:
            if name not in known and name not in NOT_SETTINGS:
                yield f"{name}: no such variable; did you mean {nearest(name, known)}?"
