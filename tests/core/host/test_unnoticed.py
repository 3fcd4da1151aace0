"""The program must not notice: the same program runs with and without our import hooks, and prints the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import zipfile
from typing import Any

import pytest

HOOKS = """
import sys
if sys.argv[1] == "watched":
    from remora.host.importhooks import ImportHooks
    def note(module, file_name=sys.argv[3]):
        with open(file_name, "a") as called:
            print(module.__name__, file=called)
    hooks = ImportHooks()
    hooks.install()
    for name in sys.argv[2].split():
        hooks.when_imported(name, note)
    del name, hooks, note, ImportHooks
del sys.argv[1:]
"""

FACTS = """
def facts(module):
    spec = module.__spec__
    loader = spec.loader
    print(module.__name__, spec, type(loader), loader is module.__loader__)
    print(sorted(getattr(loader, "__dict__", {})), spec.cached, spec.has_location)
    print(getattr(module, "__file__", "no file"), getattr(module, "__path__", "no path"))
    print(sorted(name for name in vars(module) if name.startswith("__")))
"""


@pytest.fixture
def same(site: Any, tmp_path: Any) -> Any:
    """Runs a program with and without hooks on the named modules; both must print the same, which is returned.

    The hooks must have been called for exactly the modules of ``called`` in that order, by default all.
    """

    def run(
        program: str, watched: str, *, called: str | None = None, path: str = "", options: tuple[str, ...] = ()
    ) -> str:
        script, record = tmp_path / "program.py", tmp_path / "record"
        script.write_text(HOOKS + FACTS + textwrap.dedent(program))
        record.write_text("")
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(site.folder), path, *sys.path]))}
        environ["PYTHONDONTWRITEBYTECODE"] = "1"
        runs = []
        for how in ("watched", "plain"):
            done = subprocess.run(
                [sys.executable, *options, str(script), how, watched, str(record)],
                env=environ,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            printed = re.sub("0x[0-9a-f]+", "0x", done.stdout + done.stderr)
            runs.append(f"{printed}exit code {done.returncode}")
        assert runs[0] == runs[1]
        assert record.read_text().split() == (watched if called is None else called).split()
        return runs[0]

    return run


def test_spec_loader_source_and_data_of_a_module_and_a_package(same: Any, site: Any) -> None:
    look = "print(__name__, __spec__, type(__loader__), __spec__.loader is __loader__, sorted(vars(__loader__)))\n"
    site.module("package.__init__", look)
    site.module("package.module", look + "def f():\n    return 1\n")
    (site.folder / "package" / "data.txt").write_text("the data")
    printed = same(
        """
        import inspect, importlib.resources, linecache, pkgutil
        import package.module
        facts(package)
        facts(package.module)
        print(inspect.getsource(package.module.f), inspect.getsourcefile(package.module))
        print(pkgutil.get_data("package", "data.txt"))
        print(importlib.resources.files(package).joinpath("data.txt").read_text())
        print(package.module.__loader__.get_source("package.module"), package.__loader__.is_package("package"))
        print(package.module.__loader__.get_code("package.module"))
        print([one.name for one in pkgutil.iter_modules(package.__path__)])
        """,
        "package package.module",
    )
    assert "the data" in printed


def test_a_module_that_is_looked_for_but_not_imported(same: Any, site: Any) -> None:
    site.module("acme", "def f(): pass")
    site.module("trigger")
    same(
        """
        import importlib.util, importlib.machinery
        spec = importlib.util.find_spec("acme")
        print(spec, type(spec.loader), isinstance(spec.loader, importlib.machinery.SourceFileLoader), spec.loader.name)
        print(spec.loader.get_source("acme"), spec.loader.get_filename(), spec.loader.is_package("acme"))
        print("acme" in __import__("sys").modules, importlib.util.find_spec("no_such_module"))
        import acme, trigger
        facts(acme)
        """,
        "acme trigger",
    )


@pytest.mark.parametrize(
    "source",
    [
        "import nothing_of_that_name",
        "from os import nothing_of_that_name",
        "raise ImportError('by hand')",
        "raise ValueError('in the module')",
        "def f():\n    return g()\ndef g():\n    return {}['key']\nf()",
        "def broken(:",
        "import broken_too",
        "raise SystemExit(3)",
        "try:\n    {}['a']\nexcept KeyError:\n    raise ValueError('while handling')",
    ],
)
def test_errors_at_import_and_their_tracebacks(same: Any, site: Any, source: str) -> None:
    site.module("broken_acme", source)
    site.module("broken_too", "1 / 0")
    site.module("package.__init__", "import broken_acme")
    site.module("trigger")
    printed = same(
        """
        import trigger, traceback
        try:
            import broken_acme
        except BaseException as failure:
            traceback.print_exc()
            frames = traceback.extract_tb(failure.__traceback__)
            print(len(frames), [frame.name for frame in frames])
        import sys
        print("broken_acme" in sys.modules)
        import package
        """,
        "trigger broken_acme broken_too",
        called="trigger",
    )
    assert "importhooks" not in printed


def test_a_warning_at_import_points_to_the_line_that_imports(same: Any, site: Any) -> None:
    site.module("acme", "import warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\n")
    printed = same("import acme", "acme", options=("-W", "always"))
    assert "program.py" in printed
    assert "import acme" in printed


def test_the_stack_of_a_module_is_no_deeper_for_who_skips_the_import_system(same: Any, site: Any) -> None:
    site.module(
        "acme",
        """
        import inspect
        print([frame.filename for frame in inspect.stack() if "importlib" not in frame.filename][:2])
        """,
    )
    same("import acme", "acme")


def test_reload(same: Any, site: Any) -> None:
    site.module("acme", "print('executed', sorted(vars(__loader__)))")
    printed = same("import importlib, acme\nfacts(importlib.reload(acme))", "acme", called="acme acme")
    assert printed.count("executed") == 2


def test_namespace_packages(same: Any, site: Any, other_site: Any) -> None:
    site.module("space.one")
    other_site.module("space.two")
    same(
        """
        import importlib, space, space.two
        facts(space)
        facts(space.two)
        print(list(space.__path__), space.__file__)
        """,
        "space space.two",
        path=str(other_site.folder),
    )


@pytest.mark.parametrize("name", ["_lsprof", "faulthandler", "xxsubtype", "__hello__", "__phello__", "sqlite3", "wave"])
def test_extension_builtin_frozen_and_standard_modules(same: Any, name: str) -> None:
    same(
        f"""
        import importlib.util
        spec = importlib.util.find_spec({name!r})
        print(spec.name, spec.origin, isinstance(spec.loader, type), spec.loader.is_package({name!r}))
        import {name}
        facts({name})
        """,
        name,
    )


def test_modules_of_a_zip_archive(same: Any, tmp_path: Any) -> None:
    archive = tmp_path / "bundle.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("zipped/__init__.py", "print(type(__loader__), __spec__.loader is __loader__)")
        bundle.writestr("zipped/inner.py", "def f(): return 1\n")
        bundle.writestr("zipped/data.txt", "the data")
    same(
        """
        import inspect, importlib.resources, pkgutil
        import zipped.inner
        facts(zipped)
        facts(zipped.inner)
        print(inspect.getsource(zipped.inner.f), pkgutil.get_data("zipped", "data.txt"))
        print(importlib.resources.files("zipped").joinpath("data.txt").read_text())
        print(zipped.__loader__.archive.endswith("bundle.zip"), zipped.__loader__ == zipped.inner.__loader__)
        """,
        "zipped zipped.inner",
        path=str(archive),
    )


def test_a_module_run_by_name(same: Any, site: Any) -> None:
    site.module("acme", "print(__name__, __spec__, type(__loader__), __spec__.loader is __loader__)")
    site.module("trigger")
    same(
        """
        import runpy, trigger
        runpy.run_module("acme", run_name="__main__", alter_sys=True)
        """,
        "acme trigger",
        called="trigger",
    )


def test_a_module_executed_by_hand(same: Any, site: Any) -> None:
    site.module("acme", "value = 1")
    same(
        """
        import importlib.util, sys
        spec = importlib.util.find_spec("acme")
        module = importlib.util.module_from_spec(spec)
        print(type(module.__loader__), module.__spec__ is spec)
        spec.loader.exec_module(module)
        print(module.value, "acme" in sys.modules)
        facts(module)
        """,
        "acme",
    )
