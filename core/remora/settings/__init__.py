"""Settings: what the environment says, read once, with a plain word for everything in it that cannot be meant."""

from __future__ import annotations

from remora.settings.loading import Loaded, load
from remora.settings.readers import NO_TIMEOUT_S
from remora.settings.shape import Otlp, Settings
from remora.settings.variables import VARIABLES, Variable

__all__ = ["NO_TIMEOUT_S", "VARIABLES", "Loaded", "Otlp", "Settings", "Variable", "load"]
