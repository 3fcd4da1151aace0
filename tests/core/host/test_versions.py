"""Versions and ranges mean what they mean to pip: the authority is packaging."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as PackagingVersion

from remora.host.versions import EXCLUDED, INSIDE, NEWER, OLDER, UnreadableError, Version, place, requirement

numbers = st.integers(0, 3).map(str)
separators = st.sampled_from(["", ".", "-", "_"])
releases = st.lists(numbers, min_size=1, max_size=4).map(".".join)
suffixes = st.builds(
    lambda separator, word, inner, number: f"{separator}{word}{inner if number else ''}{number}",
    separators,
    st.sampled_from(["a", "b", "c", "rc", "alpha", "beta", "pre", "preview", "RC"]),
    separators,
    st.sampled_from(["", "0", "1", "12"]),
)
posts = st.one_of(
    st.builds(
        lambda s, w, n: f"{s}{w}{n}", separators, st.sampled_from(["post", "rev", "r"]), st.sampled_from(["", "1"])
    ),
    st.just("-1"),
)
devs = st.builds(lambda s, n: f"{s}dev{n}", separators, st.sampled_from(["", "0", "2"]))
locals_ = st.sampled_from(["+local", "+1", "+ubuntu.2", "+a-b_1"])


def optional(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), strategy)


versions = st.builds(
    lambda *parts: "".join(parts),
    optional(st.just("v")),
    optional(st.sampled_from(["0!", "1!"])),
    releases,
    optional(suffixes),
    optional(posts),
    optional(devs),
    optional(locals_),
)
clauses = st.builds(
    lambda operator, space, version, wildcard: f"{operator}{space}{version}{wildcard}",
    st.sampled_from(["~=", "==", "!=", "<=", ">=", "<", ">", "==="]),
    optional(st.just(" ")),
    versions,
    st.sampled_from(["", "", ".*"]),
)
specifiers = st.lists(clauses, max_size=3).map(",".join)


@given(versions)
@example("0r_+0")
def test_what_packaging_reads_as_a_version_is_read_the_same(text: str) -> None:
    theirs = PackagingVersion(text)
    ours = Version(text)
    assert ours.epoch == theirs.epoch
    assert ours.release == theirs.release
    assert ours.is_prerelease == theirs.is_prerelease


@given(st.text("0123456789.!+-_abcdeprstv ١ß\n", max_size=12))
def test_what_packaging_refuses_is_refused(text: str) -> None:
    try:
        PackagingVersion(text)
        theirs = True
    except InvalidVersion:
        theirs = False
    try:
        Version(text)
        ours = True
    except UnreadableError:
        ours = False
    assert ours == theirs


@given(versions, versions)
def test_versions_are_ordered_as_by_packaging(one: str, other: str) -> None:
    assert (Version(one).key < Version(other).key) == (PackagingVersion(one) < PackagingVersion(other))
    assert (Version(one).key == Version(other).key) == (PackagingVersion(one) == PackagingVersion(other))


@given(versions, specifiers)
@example("3.0rc1", "<3")
@example("2.0.post1", ">2.0")
@example("2.0+build", "==2.0")
@example("1!2.0", "==2.*")
@example("2.31.0", ">=2.20,<3")
@example("1!0+local", ">1!0dev")
@example("1.0rc1", "<1.0.post1")
def test_a_version_is_inside_exactly_when_packaging_says_so(version: str, specifier: str) -> None:
    try:
        theirs = SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        with pytest.raises(UnreadableError):
            place(version, specifier)
        return
    assert (place(version, specifier) == INSIDE) == theirs


@pytest.mark.parametrize(
    ("version", "specifier", "where"),
    [
        ("2.19", ">=2.20,<3", OLDER),
        ("2.31", ">=2.20,<3", INSIDE),
        ("3.0", ">=2.20,<3", NEWER),
        ("3.0rc1", ">=2.20,<3", NEWER),
        ("3.1", "~=2.4", NEWER),
        ("2.3", "~=2.4", OLDER),
        ("4.0", "==3.*", NEWER),
        ("2.9", "==3.*", OLDER),
        ("2.0", "==1.9", NEWER),
        ("2.5", ">=2,!=2.5,<3", EXCLUDED),
        ("2.0", ">2.0", OLDER),
        ("7.1", "<=7.0", NEWER),
        ("1.0+Local", "===1.0+local", INSIDE),
        ("1.0", "===1.0.0", EXCLUDED),
        ("1.0", "", INSIDE),
    ],
)
def test_outside_is_told_apart_into_older_newer_and_excluded(version: str, specifier: str, where: str) -> None:
    assert place(version, specifier) == where


@pytest.mark.parametrize("specifier", ["2.0", "=>2", ">=", ">=two", "~=2", ">=2.*", "<2+local"])
def test_a_clause_that_cannot_be_meant_is_named(specifier: str) -> None:
    with pytest.raises(UnreadableError, match="specifier"):
        place("2.0", specifier)


def test_a_version_that_is_none_is_named() -> None:
    with pytest.raises(UnreadableError, match="'2004d'"):
        place("2004d", ">=2000")


@pytest.mark.parametrize(
    ("text", "name", "specifier"),
    [
        ("requests>=2.20,<3", "requests", ">=2.20,<3"),
        ("celery (<6.0,>=4.0) ; extra == 'instruments'", "celery", "<6.0,>=4.0"),
        ("redis[hiredis] >= 4", "redis", ">= 4"),
        ("psycopg2-binary", "psycopg2-binary", ""),
    ],
)
def test_a_requirement_has_a_name_and_a_specifier(text: str, name: str, specifier: str) -> None:
    assert requirement(text) == (name, specifier)
