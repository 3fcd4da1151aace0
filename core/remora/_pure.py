"""REMORA_PURE_PYTHON=1: use the plain sources of compiled modules, to tell whether a fault lies in the compilation."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from os.path import isfile, join

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class _PlainSources:
    """Finds ``remora.<room>.<name>_cy`` as its .py file although a compiled one lies beside it."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, _: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith("remora.") or not name.endswith("_cy") or not path:
            return None
        source = join(next(iter(path)), name.rpartition(".")[2] + ".py")
        return spec_from_file_location(name, source, loader=SourceFileLoader(name, source)) if isfile(source) else None


def install() -> None:
    """To be called before any ``_cy`` module is imported."""
    if _PlainSources not in sys.meta_path:
        sys.meta_path.insert(0, _PlainSources)
