"""What a plugin author is told when a row cannot be meant, and what a good row holds."""

from __future__ import annotations

from typing import Any

import pytest

from remora.host.manifest import Instrumentation, ManifestError, Option, Producer

GOOD: dict[str, Any] = {
    "supports": ("requests>=2.20,<3",),
    "hooks": {"requests.adapters": "remora_plugins.http.requests:patch"},
    "convention": "http.client",
}


def test_a_row_holds_what_it_was_given_and_the_defaults() -> None:
    row = Instrumentation("requests", **GOOD)
    assert row.supports == ("requests>=2.20,<3",)
    assert row.hooks == {"requests.adapters": "remora_plugins.http.requests:patch"}
    assert (row.options, row.default_on, row.doc) == ((), True, "")


def test_lists_become_tuples_and_the_hooks_are_a_copy() -> None:
    hooks = {"a.b": "c.d:e"}
    row = Instrumentation("acme", supports=["acme>=1"], hooks=hooks, convention="http.client")
    hooks.clear()
    assert row.supports == ("acme>=1",)
    assert row.hooks == {"a.b": "c.d:e"}


def test_rows_that_say_the_same_are_equal_and_none_can_be_changed() -> None:
    row = Instrumentation("requests", **GOOD)
    assert row == Instrumentation("requests", **GOOD)
    assert row != Instrumentation("requests", **{**GOOD, "default_on": False})
    with pytest.raises(AttributeError, match="fixed"):
        row.name = "flask"


@pytest.mark.parametrize(
    ("changed", "field", "mend"),
    [
        ({"supports": "requests>=2"}, "supports", r"supports=\('requests>=2',\)"),
        ({"supports": (3,)}, "supports", "requirements such as"),
        ({"supports": (">=2",)}, "supports", "requirements such as"),
        ({"hooks": {}}, "hooks", "library.module"),
        ({"hooks": ["requests"]}, "hooks", "library.module"),
        ({"hooks": {"requests:adapters": "a:b"}}, "hooks", "names of modules"),
        ({"hooks": {"requests": "remora_plugins.http.requests.patch"}}, "hooks", "package.module:function"),
        ({"hooks": {"requests": print}}, "hooks", "package.module:function"),
        ({"convention": None}, "convention", "text"),
        ({"options": ("verbose",)}, "options", "Option rows"),
        ({"doc": 1}, "doc", "text"),
    ],
)
def test_a_wrong_field_is_refused_with_plugin_field_and_mend(changed: dict[str, Any], field: str, mend: str) -> None:
    with pytest.raises(ManifestError, match=mend) as refusal:
        Instrumentation("requests", **{**GOOD, **changed})
    assert "Instrumentation 'requests'" in str(refusal.value)
    assert field in str(refusal.value)


@pytest.mark.parametrize("name", ["", "two words", "a,b", "re*", None, "größe"])
def test_a_name_that_cannot_stand_in_a_list_of_names_is_refused(name: Any) -> None:
    with pytest.raises(ManifestError, match="name is"):
        Instrumentation(name, **GOOD)


def test_a_producer_says_what_to_start_and_is_off_unless_asked_for() -> None:
    row = Producer("profiler", start="acme.sampler:start", signal="profiles")
    assert (row.start, row.signal, row.default_on) == ("acme.sampler:start", "profiles", False)
    with pytest.raises(ManifestError, match="'profiler': signal is 'pictures'; use one of traces, metrics"):
        Producer("profiler", start="acme.sampler:start", signal="pictures")
    with pytest.raises(ManifestError, match=r"start is 'acme\.sampler'"):
        Producer("profiler", start="acme.sampler", signal="profiles")


def test_an_option_is_typed_and_its_default_fits() -> None:
    assert Option("excluded_urls", str, None, "URLs that are left out").default is None
    with pytest.raises(ManifestError, match="'limit': default is 'ten'; give a int"):
        Option("limit", int, "ten", "how many")
    with pytest.raises(ManifestError, match=r"'when': type is .*; use bool, int, float, str or tuple"):
        Option("when", dict, {}, "a mapping")
