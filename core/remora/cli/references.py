"""Does what a plugin names exist? Looked up as the import system would, and read, but nothing is imported."""

from __future__ import annotations

import ast
import sys
from difflib import get_close_matches

from remora.host.references import told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import Any

    from remora.host.rows import Row


def broken(row: Row) -> list[str]:
    """What is wrong in the row of a plugin, one line each; its library's version is not looked at."""
    references: list[tuple[str, str]] = []
    if row.instrumentation is not None:
        references = [(f"hooks[{target!r}]", text) for target, text in row.instrumentation.hooks.items()]
    elif row.producer is not None:
        references = [("start", row.producer.start)]
    subject = f"plugin {row.source}: {row.name}"
    return [f"{subject}: {field} is {text!r}, but {fault}" for field, text in references if (fault := _fault(text))]


def untraceable(row: Row, library: str) -> str | None:
    """Said of a plugin whose library is here, but none of the modules that it waits for."""
    if not row.targets or any(exists(target) for target in row.targets):
        return None
    targets = ", ".join(row.targets)
    return f"plugin {row.source}: {row.name}: its hooks wait for {targets}, and {library} has no such module"


def exists(module_name: str) -> bool:
    """Whether an import of the module would find something."""
    return module_name in sys.modules or _spec(module_name) is not None


def _fault(reference: str) -> str:
    module_name, _, function = reference.partition(":")
    spec = _spec(module_name)
    if spec is None:
        return f"there is no module {module_name}"
    if not (spec.origin or "").endswith(".py"):
        return ""  # compiled, frozen, or in an archive: the import will tell
    try:
        with open(spec.origin or "", "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError) as failure:
        return f"{spec.origin} cannot be read: {told(failure)}"
    names = _names(tree)
    if function in names or "*" in names:
        return ""
    near = get_close_matches(function, sorted(names), n=1)
    return f"{spec.origin} has no {function}" + (f"; did you mean {near[0]}?" if near else "")


def _names(tree: ast.Module) -> set[str]:
    """What the module's own lines may bind, also below `if` and `try`; "*" where it imports all of another module."""
    found: set[str] = set()
    waiting: list[Any] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        else:
            waiting.extend(ast.iter_child_nodes(node))
    return found


def _spec(module_name: str) -> ModuleSpec | None:
    """The spec of a module, found without importing the packages above it, as importlib.util.find_spec would."""
    path: Any = None
    name, spec = "", None
    for part in module_name.split("."):
        name = f"{name}.{part}" if name else part
        spec = _find(name, path)
        if spec is None:
            return None
        path = spec.submodule_search_locations
        if path is None and name != module_name:
            return None
    return spec


def _find(name: str, path: Any) -> ModuleSpec | None:
    for finder in tuple(sys.meta_path):
        if type(finder).__module__.startswith("remora."):
            continue  # our own import hooks would watch what they find
        try:
            found: ModuleSpec | None = finder.find_spec(name, path)
        except Exception:  # noqa: S112 - somebody's finder; the next one may know
            continue
        if found is not None:
            return found
    return None
