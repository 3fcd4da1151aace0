"""Entry points and versions are found wherever Python would find them, without importlib.metadata."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from remora.host.installed import Installed, normalized


def names(entry_points: list[Any]) -> list[tuple[str, str, str]]:
    return [(one.name, one.value, one.distribution.name) for one in entry_points]


def test_entry_points_of_a_group_are_found_and_other_groups_are_not(site: Any) -> None:
    site.install(
        "acme-otel", entry_points={"console_scripts": {"acme": "acme:main"}, "remora": {"acme": "acme.manifest"}}
    )
    site.install("nothing-here")
    found = Installed([str(site.folder)]).entry_points("remora", "opentelemetry_instrumentor")
    assert names(found["remora"]) == [("acme", "acme.manifest", "acme-otel")]
    assert found["opentelemetry_instrumentor"] == []


def test_comments_spaces_and_extras_in_an_entry_point_are_read_as_packaging_tools_do(site: Any) -> None:
    info = site.install("acme-otel")
    (info / "entry_points.txt").write_text("# made by hand\n[remora]\n\n  acme=acme.manifest:rows [fast]  \n; end\n")
    assert names(Installed([str(site.folder)]).entry_points("remora")["remora"]) == [
        ("acme", "acme.manifest:rows", "acme-otel")
    ]


@pytest.mark.parametrize("asked", ["Acme.Library", "acme-library", "ACME__library"])
def test_a_version_is_found_however_the_name_is_written(site: Any, asked: str) -> None:
    site.install("Acme_Library", "2.31.0")
    assert Installed([str(site.folder)]).version(asked) == "2.31.0"


def test_what_is_not_installed_has_no_version(site: Any) -> None:
    assert Installed([str(site.folder)]).version("acme") is None


def test_the_metadata_counts_more_than_the_name_of_the_folder(site: Any) -> None:
    info = site.install("acme", "1.0")
    (info / "METADATA").write_text("Metadata-Version: 2.1\r\nName: acme\r\nVersion: 1.0.post7\r\n\r\nVersion: 3\r\n")
    assert Installed([str(site.folder)]).version("acme") == "1.0.post7"
    (info / "METADATA").unlink()
    assert Installed([str(site.folder)]).version("acme") == "1.0"


def test_eggs_are_distributions_too(site: Any) -> None:
    site.install("old-egg", "1.1", kind="egg-info", entry_points={"remora": {"old": "old.manifest"}})
    (site.folder / "older-0.9-py3.9.egg-info").write_text("Metadata-Version: 1.0\nName: older\nVersion: 0.9\n")
    (site.folder / "develop.egg-info").mkdir()
    (site.folder / "develop.egg-info" / "PKG-INFO").write_text("Name: develop\nVersion: 3.dev0\n")
    egg = site.folder / "unzipped-4.2-py3.11.egg"
    (egg / "EGG-INFO").mkdir(parents=True)
    (egg / "EGG-INFO" / "PKG-INFO").write_text("Name: unzipped\nVersion: 4.2\n")
    installed = Installed([str(site.folder), str(egg)])
    found = {name: installed.version(name) for name in ("old-egg", "older", "develop", "unzipped")}
    assert found == {"old-egg": "1.1", "older": "0.9", "develop": "3.dev0", "unzipped": "4.2"}
    assert names(installed.entry_points("remora")["remora"]) == [("old", "old.manifest", "old-egg")]


def test_the_first_of_two_distributions_on_the_path_counts_as_its_modules_do(site: Any, other_site: Any) -> None:
    site.install("acme", "1.0", entry_points={"remora": {"acme": "first"}})
    other_site.install("acme", "2.0", entry_points={"remora": {"acme": "second"}})
    installed = Installed([str(site.folder), str(other_site.folder)])
    assert installed.version("acme") == "1.0"
    assert names(installed.entry_points("remora")["remora"]) == [("acme", "first", "acme")]


def test_what_comes_onto_the_path_or_is_installed_later_is_seen(site: Any, other_site: Any) -> None:
    installed = Installed()
    assert installed.version("acme-late") is None
    other_site.install("acme-late", "5.0")
    sys.path.append(str(other_site.folder))
    assert installed.version("acme-late") == "5.0"
    os.utime(site.folder, ns=(0, 0))
    assert installed.version("acme-later") is None
    site.install("acme-later", "6.0")
    assert installed.version("acme-later") == "6.0"


def test_a_distribution_in_a_zip_archive_is_found(tmp_path: Path) -> None:
    archive = tmp_path / "bundle.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("acme-7.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme\nVersion: 7.0\n")
        bundle.writestr("acme-7.0.dist-info/entry_points.txt", "[remora]\nacme = acme.manifest\n")
    installed = Installed([str(archive)])
    assert installed.version("acme") == "7.0"
    assert names(installed.entry_points("remora")["remora"]) == [("acme", "acme.manifest", "acme")]


def test_an_archive_without_distributions_does_not_cost_importlib_metadata(tmp_path: Path) -> None:
    archive = tmp_path / "modules.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("something.py", "")
    code = (
        "import sys\n"
        "from remora.host.installed import Installed\n"
        "Installed().entry_points('remora')\n"
        "assert sys.argv[1] in sys.path\n"
        "assert 'importlib.metadata' not in sys.modules\n"
    )
    path = os.pathsep.join([str(archive), *sys.path])
    subprocess.run([sys.executable, "-c", code, str(archive)], check=True, env={**os.environ, "PYTHONPATH": path})


def test_a_finder_that_knows_its_own_distributions_is_asked() -> None:
    class Bundled(importlib.metadata.Distribution):
        def read_text(self, filename: str) -> str | None:
            return {
                "METADATA": "Metadata-Version: 2.1\nName: frozen-acme\nVersion: 8.0\n",
                "entry_points.txt": "[remora]\nfrozen = acme.manifest\n",
            }.get(filename)

        def locate_file(self, path: Any) -> Any:
            return path

    class Finder(importlib.metadata.DistributionFinder):
        def find_distributions(self, context: Any = None) -> list[importlib.metadata.Distribution]:
            return [Bundled()]

        def find_spec(self, *_: object) -> None:
            return None

    sys.meta_path.append(Finder())
    installed = Installed()
    assert installed.version("frozen-acme") == "8.0"
    assert ("frozen", "acme.manifest", "frozen-acme") in names(installed.entry_points("remora")["remora"])


def test_a_path_full_of_rubbish_is_passed_over(site: Any, tmp_path: Path) -> None:
    site.install("acme", "1.0")
    (site.folder / "~cme-0.9.dist-info").mkdir()
    (site.folder / "odd.dist-info").write_text("a file where a folder belongs")
    broken = site.folder / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "entry_points.txt").write_bytes(b"[remora]\n\xff\xfe = \x00\n= =\nno equals sign\n[\n")
    (tmp_path / "no.zip").write_bytes(b"PK no archive")
    path: list[Any] = [None, b"bytes", "\0", str(tmp_path / "absent"), str(tmp_path / "no.zip"), str(site.folder)]
    installed = Installed(path)
    assert installed.version("acme") == "1.0"
    assert all(one.distribution.name == "broken" for one in installed.entry_points("remora")["remora"])
    assert installed.version("odd") is None
    assert "~cme" not in installed.distributions()


def test_in_this_environment_the_scan_finds_what_importlib_metadata_finds() -> None:
    theirs: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        theirs.setdefault(normalized(distribution.metadata["Name"]), distribution.version)
    installed = Installed()
    assert {name: installed.version(name) for name in installed.distributions()} == theirs
    scripts = importlib.metadata.entry_points(group="console_scripts")
    ours = {(one.name, one.value) for one in installed.entry_points("console_scripts")["console_scripts"]}
    assert ours == {(one.name, one.value.partition("[")[0].strip()) for one in scripts}
