"""What `python -m tests.versions` is going to try follows from the manifests, without being written down again."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from remora_plugins.http.manifest import instrumentations
from support.processes import run_python
from support.tree import REPOSITORY
from versions.claims import claims, oldest
from versions.companions import companions_of

HTTP = [row.name for row in instrumentations() if row.supports]


@pytest.mark.parametrize(
    ("requirement", "first"),
    [
        ("flask>=2.0,<4", "flask==2.0"),
        ("flask<4,>=2.0", "flask==2.0"),
        ("urllib3~=1.26", "urllib3==1.26"),
        ("opentelemetry-instrumentation-asgi>=0.40b0,<1", "opentelemetry-instrumentation-asgi==0.40b0"),
    ],
)
def test_the_oldest_version_is_the_first_that_is_admitted(requirement: str, first: str) -> None:
    assert oldest(requirement) == first


def test_a_range_without_a_beginning_has_no_oldest_version() -> None:
    with pytest.raises(ValueError, match="no oldest version"):
        oldest("flask<4")


def test_every_row_that_claims_versions_is_tried_by_tests_that_exist() -> None:
    asked = claims("http")
    assert [claim.name for claim in asked] == HTTP
    assert [test for claim in asked for test in claim.tests if not (REPOSITORY / test).exists()] == []


def test_the_latest_is_the_newest_release_that_the_range_admits() -> None:
    (flask,) = claims("http", ["flask"], latest=True)
    assert flask.requirements == ("flask>=2.0,<4",)


@pytest.mark.parametrize("name", HTTP)
def test_companions_can_be_installed_together(name: str) -> None:
    for latest in (False, True):
        companions = [Requirement(each).name for each in companions_of(name, latest=latest)]
        assert len(companions) == len(set(companions))


def test_a_row_that_does_not_exist_is_told() -> None:
    done = run_python(
        "import runpy; runpy.run_module('tests.versions', run_name='__main__')", "nonesuch", cwd=REPOSITORY
    )
    assert done.exit_code == 1
    assert "no row of the family http claims versions of nonesuch" in done.stderr
