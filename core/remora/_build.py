"""Build step: compiles the hot core where a C compiler is found, and installs plain Python where none is.

Used by setuptools alone. REMORA_NO_EXT=1 compiles nothing, REMORA_REQUIRE_EXT=1 turns a failed compilation into a
failed installation. Generated C stays below build/.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from setuptools import Extension
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "core"
_PATTERNS = ("*_cy.py", "*.pyx")
_FALLEN_BACK = (
    "remora: the compiled core was not built ({fault}); installing plain Python, which does the same more slowly. "
    "A C compiler and the Python headers make it fast; REMORA_REQUIRE_EXT=1 makes this an error."
)


def compiled_modules(root: Path | str = ROOT) -> dict[str, Path]:
    """The modules of the hot core and their sources: everything below ``root`` that is named for it."""
    below = Path(root)
    sources = sorted(source for pattern in _PATTERNS for source in (below / "remora").rglob(pattern))
    return {".".join(source.relative_to(below).with_suffix("").parts): source for source in sources}


def _asked(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() in ("1", "true", "yes")


class OptionalBuild(build_ext):
    """All modules or none: one compiled module may rely on the C layout of another."""

    extensions: list[Extension]

    def finalize_options(self) -> None:
        # pyproject.toml names one extension, so that setuptools builds any; which there are is found on disk.
        self.distribution.ext_modules = [
            Extension(name, [str(source)], extra_compile_args=["-O2", "-g0"])
            for name, source in compiled_modules().items()
        ]
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self) -> None:
        if _asked("REMORA_NO_EXT"):
            self._leave_out()
            return
        inplace: bool = self.inplace  # setuptools turns it off while it compiles
        try:
            self._translate()
            super().run()
        except Exception as fault:
            if _asked("REMORA_REQUIRE_EXT"):
                raise
            self.inplace = inplace
            self._leave_out()
            print(_FALLEN_BACK.format(fault=f"{type(fault).__name__}: {fault}"[:120]), file=sys.stderr)

    def get_source_files(self) -> list[str]:
        """What an sdist needs to compile: the sources and the C declarations beside them, no generated C."""
        sources = list(compiled_modules().values())
        return [str(path) for path in [*sources, *Path(ROOT).rglob("*.pxd")]]

    def _translate(self) -> None:
        from Cython.Build import cythonize  # not there where the platform is not CPython

        translated = cythonize(
            self.extensions, build_dir="build/cython", include_path=[ROOT], language_level=3, quiet=not self.verbose
        )
        for extension, done in zip(self.extensions, translated, strict=True):
            extension.sources = done.sources

    def _leave_out(self) -> None:
        for path in self._built_files():
            with suppress(OSError):
                path.unlink()
        self.extensions = []
        self.distribution.ext_modules = []

    def _built_files(self) -> Iterator[Path]:
        for extension in self.extensions:
            relative = self.get_ext_filename(extension.name)
            yield Path(self.build_lib, relative)
            if self.inplace or self.editable_mode:
                yield Path(ROOT, relative)


class HonestWheel(bdist_wheel):
    """A wheel that was asked to hold nothing compiled is for every platform, and says so."""

    def finalize_options(self) -> None:
        if _asked("REMORA_NO_EXT"):
            self.distribution.ext_modules = []
        super().finalize_options()
