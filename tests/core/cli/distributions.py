"""Makes folders that look as if pip had installed something there: metadata, entry points, a module or two."""

from __future__ import annotations

import textwrap
from pathlib import Path

OURS = {
    "database": "remora_plugins.database.manifest",
    "http": "remora_plugins.http.manifest",
    "runtime": "remora_plugins.runtime.manifest",
}


class SitePackages:
    """A folder for sys.path; each ``install`` adds a distribution."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def install(self, name: str, version: str, plugins: dict[str, str] | None = None) -> None:
        """Metadata of a distribution; ``plugins`` are its entry points in the group of Remora's plugins."""
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        if plugins:
            lines = [f"{entry} = {module}" for entry, module in plugins.items()]
            (info / "entry_points.txt").write_text("[remora]\n" + "\n".join(lines) + "\n")
        else:
            (self.folder / f"{name}.py").touch()

    def install_remora(self) -> None:
        """Remora itself, which names its own plugins."""
        self.install("remora", "0.0.1", OURS)

    def install_plugin(self, supports: str, *, target: str = "fakelib", reference: str = "acme_patches:patch") -> None:
        """A third party's plugin for "fakelib", tested with ``supports``."""
        (self.folder / "acme_patches.py").write_text("def patch(library, patcher):\n    pass\n")
        self.install("acme-plugins", "2.0", {"acme": "acme_manifest"})
        manifest = f"""
            from remora.api import Instrumentation, hookimpl

            @hookimpl
            def instrumentations():
                hooks = {{"{target}": "{reference}"}}
                return [Instrumentation("fakelib", supports=("{supports}",), hooks=hooks, convention="http.client")]
        """
        (self.folder / "acme_manifest.py").write_text(textwrap.dedent(manifest))
