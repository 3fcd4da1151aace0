"""A callback runs once its module was executed, however that came about, and never harms the import."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
import types
import zipfile
from typing import Any

import pytest

from remora.host.importhooks import NOT_NOW, ImportHooks, installed


@pytest.fixture
def seen() -> list[tuple[str, bool]]:
    """Names of modules and whether they were whole when the callback saw them."""
    return []


@pytest.fixture
def watch(hooks: ImportHooks, seen: list[tuple[str, bool]]) -> Any:
    def watch(*names: str) -> None:
        for name in names:
            hooks.when_imported(name, lambda module: seen.append((module.__name__, hasattr(module, "LAST"))))

    return watch


def test_the_callback_runs_after_the_last_line_of_the_module(site: Any, watch: Any, seen: Any) -> None:
    site.module("acme", "LAST = 1")
    watch("acme")
    assert seen == []
    importlib.import_module("acme")
    importlib.import_module("acme")
    assert seen == [("acme", True)]


def test_it_runs_at_once_for_what_was_imported_already(site: Any, watch: Any, seen: Any) -> None:
    site.module("acme", "LAST = 1")
    importlib.import_module("acme")
    watch("acme")
    assert seen == [("acme", True)]


def test_several_callbacks_of_one_module_run_in_order(site: Any, hooks: ImportHooks) -> None:
    site.module("acme")
    order: list[int] = []
    for number in range(3):
        hooks.when_imported("acme", lambda _, number=number: order.append(number))
    importlib.import_module("acme")
    assert order == [0, 1, 2]


def test_packages_and_their_submodules_are_told_apart(site: Any, watch: Any, seen: Any) -> None:
    site.module("acme.__init__", "from acme import inner\nLAST = 1")
    site.module("acme.inner", "LAST = 1")
    site.module("acme.unwatched", "LAST = 1")
    watch("acme", "acme.inner")
    importlib.import_module("acme.unwatched")
    assert seen == [("acme.inner", True), ("acme", True)]


def test_a_module_in_a_namespace_package_and_the_namespace_itself(
    site: Any, other_site: Any, watch: Any, seen: Any
) -> None:
    sys.path.append(str(other_site.folder))
    site.module("space.one", "LAST = 1")
    other_site.module("space.two", "LAST = 1")
    watch("space", "space.two")
    importlib.import_module("space.two")
    assert seen == [("space", False), ("space.two", True)]
    assert importlib.import_module("space.one").LAST == 1


@pytest.mark.parametrize("name", ["_lsprof", "xxlimited", "xxsubtype", "__hello__", "__phello__.spam"])
def test_extension_builtin_and_frozen_modules(name: str, watch: Any, seen: Any) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"this Python has no {name}")
    before = {kept: sys.modules.pop(kept) for kept in (name, name.partition(".")[0]) if kept in sys.modules}
    try:
        watch(name)
        importlib.import_module(name)
        assert seen == [(name, False)]
    finally:
        for left in (name, name.partition(".")[0]):
            sys.modules.pop(left, None)
        sys.modules.update(before)


def test_one_module_of_a_zip_archive_and_not_the_others(tmp_path: Any, watch: Any, seen: Any) -> None:
    archive = tmp_path / "bundle.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("zipped/__init__.py", "LAST = 1")
        bundle.writestr("zipped/other.py", "LAST = 1")
    sys.path.insert(0, str(archive))
    watch("zipped")
    module = importlib.import_module("zipped.other")
    assert seen == [("zipped", True)]
    assert type(module.__spec__.loader).__name__ == "zipimporter"
    assert type(sys.modules["zipped"].__spec__.loader).__name__ == "zipimporter"


def test_it_runs_again_after_a_reload_and_after_an_import_anew(site: Any, watch: Any, seen: Any) -> None:
    site.module("acme", "LAST = 1")
    watch("acme")
    module = importlib.import_module("acme")
    importlib.reload(module)
    del sys.modules["acme"]
    assert importlib.import_module("acme") is not module
    assert seen == [("acme", True)] * 3


def test_a_lazily_loaded_module_is_seen_when_it_really_loads(site: Any, watch: Any, seen: Any) -> None:
    site.module("acme", "LAST = 1")
    watch("acme")
    module = _lazily("acme")
    assert seen == []
    assert module.LAST == 1
    assert seen == [("acme", True)]


def test_a_module_that_waits_to_be_loaded_is_not_loaded_by_being_watched(site: Any, watch: Any, seen: Any) -> None:
    site.module("acme", "LAST = 1")
    module = _lazily("acme")
    watch("acme")
    assert seen == []
    assert type(module).__name__ == "_LazyModule"
    assert module.LAST == 1
    assert seen == [("acme", True)]


def _lazily(name: str) -> types.ModuleType:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_a_module_that_replaces_itself_is_seen_as_the_program_sees_it(site: Any, hooks: ImportHooks) -> None:
    site.module("acme", "import sys\nclass Acme:\n    value = 7\nsys.modules[__name__] = Acme()")
    values: list[int] = []
    hooks.when_imported("acme", lambda module: values.append(module.value))  # type: ignore[attr-defined]
    importlib.import_module("acme")
    assert values == [7]


@pytest.mark.parametrize("trouble", ["__bool__", "__len__", "__eq__", "__getattr__"])
def test_whatever_stands_in_sys_modules_harms_no_import(site: Any, hooks: ImportHooks, trouble: str) -> None:
    site.module("acme", f"import sys\nclass Odd:\n    def {trouble}(self, *_): 1 / 0\nsys.modules[__name__] = Odd()")
    site.module("later")
    found: list[str] = []
    hooks.when_imported("acme", lambda module: found.append(type(module).__name__))
    hooks.when_imported("later", lambda _: None)
    importlib.import_module("acme")
    hooks.when_imported("acme", lambda _: None)
    importlib.import_module("later")
    assert found == ["Odd"]


def test_a_module_that_fails_is_not_seen_until_it_succeeds(site: Any, watch: Any, seen: Any) -> None:
    site.module("acme", "import switch\nif not switch.on: raise ValueError\nLAST = 1")
    switch = types.ModuleType("switch")
    sys.modules["switch"] = switch
    watch("acme")
    try:
        for switch.on in (False, False):  # type: ignore[attr-defined]
            with pytest.raises(ValueError):  # noqa: PT011
                importlib.import_module("acme")
        assert seen == []
        switch.on = True  # type: ignore[attr-defined]
        importlib.import_module("acme")
        assert seen == [("acme", True)]
    finally:
        del sys.modules["switch"]


def test_circular_imports_see_each_module_once_and_whole(site: Any, watch: Any, seen: Any) -> None:
    site.module("chicken", "import egg\nLAST = 1")
    site.module("egg", "import chicken\nassert not hasattr(chicken, 'LAST')\nLAST = 1")
    watch("chicken", "egg")
    importlib.import_module("chicken")
    assert seen == [("egg", True), ("chicken", True)]


def test_a_module_in_the_middle_of_its_import_is_seen_at_its_end_or_later(site: Any, hooks: ImportHooks) -> None:
    """Armed by the program itself while it imports: there is nothing left to wrap, so we catch up."""
    whole: list[bool] = []
    gate = types.ModuleType("gate")
    gate.open = lambda: hooks.when_imported("acme", lambda module: whole.append(hasattr(module, "LAST")))  # type: ignore[attr-defined]
    sys.modules["gate"] = gate
    site.module("acme", "import gate\ngate.open()\nLAST = 1")
    site.module("later")
    hooks.when_imported("later", lambda _: None)
    try:
        importlib.import_module("acme")
        assert whole == []
        importlib.import_module("later")
        assert whole == [True]
    finally:
        del sys.modules["gate"]


def test_what_a_finder_in_front_of_ours_took_is_caught_up_with(site: Any, watch: Any, seen: Any) -> None:
    class Selfish(importlib.abc.MetaPathFinder):
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
            return importlib.machinery.PathFinder.find_spec(name, path) if name == "acme" else None

    site.module("acme", "LAST = 1")
    site.module("later", "LAST = 1")
    watch("acme", "later")
    sys.meta_path.insert(0, Selfish())
    importlib.import_module("acme")
    importlib.import_module("later")
    assert sorted(seen) == [("acme", True), ("later", True)]


def test_another_module_under_the_name_is_not_taken_for_it(site: Any, watch: Any, seen: Any) -> None:
    """As pymysql does with MySQLdb."""
    site.module("stand_in", "LAST = 1")
    site.module("later", "LAST = 1")
    sys.modules["acme"] = importlib.import_module("stand_in")
    try:
        watch("acme", "later")
        importlib.import_module("later")
        assert seen == [("later", True)]
    finally:
        del sys.modules["acme"]


def test_a_callback_may_ask_to_be_called_at_a_later_import(site: Any, hooks: ImportHooks) -> None:
    answers = [NOT_NOW, NOT_NOW, None]
    site.module("acme")
    hooks.when_imported("acme", lambda _: answers.pop(0))
    for name in ("acme", "one", "two", "three", "four"):
        site.module(name)
    importlib.import_module("acme")
    assert len(answers) == 2
    importlib.import_module("one")
    assert len(answers) == 1
    importlib.import_module("two")
    importlib.import_module("three")
    assert answers == []


@pytest.mark.parametrize("failure", ["ValueError('boom')", "BaseException('boom')", "GeneratorExit('boom')"])
def test_a_callback_that_fails_does_not_fail_the_import(
    site: Any, hooks: ImportHooks, watch: Any, seen: Any, capfd: pytest.CaptureFixture[str], failure: str
) -> None:
    def burn(_: types.ModuleType) -> None:
        raise eval(failure)

    site.module("acme", "LAST = 1")
    hooks.when_imported("acme", burn)
    watch("acme")
    assert importlib.import_module("acme").LAST == 1
    assert seen == [("acme", True)]
    assert "what waited for the import of acme failed" in capfd.readouterr().err


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_process_passes_through_a_callback(site: Any, hooks: ImportHooks, end: type) -> None:
    def leave(_: types.ModuleType) -> None:
        raise end

    site.module("acme")
    hooks.when_imported("acme", leave)
    with pytest.raises(end):
        importlib.import_module("acme")


def test_nothing_runs_after_removal(site: Any, hooks: ImportHooks, watch: Any, seen: Any) -> None:
    site.module("acme")
    watch("acme")
    hooks.remove()
    importlib.import_module("acme")
    assert seen == []
    assert hooks not in sys.meta_path


def test_other_modules_are_none_of_our_business(hooks: ImportHooks) -> None:
    asked: list[str] = []

    class Behind(importlib.abc.MetaPathFinder):
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
            asked.append(name)

    sys.meta_path.insert(1, Behind())
    hooks.when_imported("acme", lambda _: None)
    assert hooks.find_spec("something_else") is None
    assert asked == []


class Rewriter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finder and loader in one, for many modules, as pytest's assertion rewriter is."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "acme":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        assert spec is not None
        return importlib.util.spec_from_file_location(name, spec.origin, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        assert module.__spec__ is not None
        assert module.__spec__.loader is self
        assert module.__loader__ is self
        module.REWRITTEN = True  # type: ignore[attr-defined]
        module.LAST = 1  # type: ignore[attr-defined]


def test_a_loader_that_serves_many_modules_is_put_back_before_it_works(site: Any, watch: Any, seen: Any) -> None:
    site.module("acme")
    rewriter = Rewriter()
    sys.meta_path.insert(1, rewriter)
    watch("acme")
    spec = importlib.util.find_spec("acme")
    assert spec is not None
    assert isinstance(spec.loader, Rewriter)
    module = importlib.import_module("acme")
    assert module.REWRITTEN
    assert module.__loader__ is rewriter
    assert seen == [("acme", True)]


class Asking(importlib.abc.MetaPathFinder):
    """Asks the import system again, as wrapt's import hooks do."""

    busy = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if self.busy or name != "acme":
            return None
        self.busy = True
        try:
            return importlib.util.find_spec(name)
        finally:
            self.busy = False


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("rewritten", [False, True])
def test_a_finder_that_asks_the_import_system_again_makes_nothing_run_twice(
    site: Any, watch: Any, seen: Any, place: int, rewritten: bool
) -> None:
    site.module("acme", "LAST = 1")
    watch("acme")
    if rewritten:
        sys.meta_path.insert(1, Rewriter())
    sys.meta_path.insert(place, Asking())
    importlib.import_module("acme")
    assert seen == [("acme", True)]


@pytest.mark.parametrize("first", ["wrapt", "ours"])
def test_hooks_of_wrapt_on_the_same_module_run_too(site: Any, watch: Any, seen: Any, first: str) -> None:
    wrapt = pytest.importorskip("wrapt")
    theirs: list[str] = []

    def ask_wrapt() -> None:
        wrapt.register_post_import_hook(lambda module: theirs.append(module.__name__), f"acme_{first}")
        finder = next((one for one in sys.meta_path if type(one).__name__ == "ImportHookFinder"), None)
        if finder is None:  # installed by an earlier test, whose import path is gone
            sys.meta_path.insert(0, wrapt.importer.ImportHookFinder())

    site.module(f"acme_{first}", "LAST = 1")
    steps = [ask_wrapt, lambda: watch(f"acme_{first}")]
    for step in steps if first == "wrapt" else reversed(steps):
        step()
    module = importlib.import_module(f"acme_{first}")
    assert theirs == [f"acme_{first}"]
    assert seen == [(f"acme_{first}", True)]
    assert type(module.__spec__.loader) is importlib.machinery.SourceFileLoader
    assert type(module.__loader__) is importlib.machinery.SourceFileLoader


def test_the_error_of_another_finder_is_the_programs(site: Any, watch: Any) -> None:
    class Broken(importlib.abc.MetaPathFinder):
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
            if name == "acme":
                raise LookupError("theirs")

    site.module("acme")
    watch("acme")
    sys.meta_path.insert(1, Broken())
    with pytest.raises(LookupError, match="theirs"):
        importlib.import_module("acme")


def test_threads_that_import_at_once_see_one_execution(site: Any, watch: Any, seen: Any) -> None:
    names = [f"acme_{number}" for number in range(5)]
    for name in names:
        site.module(name, f"import time\ntime.sleep(0.01)\nimport {names[0]}\nLAST = 1")
    watch(*names)
    start = threading.Barrier(8)
    failures: list[BaseException] = []

    def work(turn: int) -> None:
        start.wait()
        try:
            for number in range(5):
                assert importlib.import_module(names[(number + turn) % 5]).LAST == 1
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert sorted(seen) == [(name, True) for name in names]


def test_a_callback_may_import_what_is_watched_too(site: Any, hooks: ImportHooks, watch: Any, seen: Any) -> None:
    site.module("acme", "LAST = 1")
    site.module("needed", "import acme\nLAST = 1")
    watch("acme", "needed")
    hooks.when_imported("acme", lambda _: importlib.import_module("needed"))
    importlib.import_module("acme")
    assert seen == [("acme", True), ("needed", True)]


def test_a_process_has_one_set_of_hooks() -> None:
    assert installed() is installed()
