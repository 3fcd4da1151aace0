"""The keys and the shape of each span are those of the published conventions."""

from __future__ import annotations

from typing import Any

import pytest

from remora.conventions import keys
from remora.conventions.database import DatabaseCall
from remora.conventions.http_client import HttpClientCall
from remora.conventions.http_server import HttpServerCall

KEYS = {
    name: value for name, value in vars(keys).items() if name.isupper() and name not in ("TYPE_CHECKING", "SCHEMA_URL")
}


def client_call() -> HttpClientCall:
    call = HttpClientCall("BREW", "https://user:secret@shop.example:8443/a?b=1", {})
    call.status, call.protocol_version, call.protocol_name = 503, "3", "spdy"
    call.peer_address, call.peer_port, call.resend_count = "10.0.0.1", 8443, 2
    return call


def server_call() -> HttpServerCall:
    sent = {"host": "shop.example:8080", "user-agent": "curl/8", "x-forwarded-for": "203.0.113.7"}
    call = HttpServerCall(
        "BREW",
        "http",
        "/pots/1",
        "sugar=2",
        sent.get,
        peer_address="10.0.0.9",
        peer_port=5555,
        protocol_version="3",
    )
    call.status, call.route, call.protocol_name = 500, "/pots/{id}", "spdy"
    return call


def database_call() -> DatabaseCall:
    return DatabaseCall(
        "postgresql",
        "SELECT 1 FROM users",
        namespace="shop",
        host="db.example",
        port=5433,
        operation="SELECT",
        collection="users",
        stored_procedure="f",
        batch_size=3,
    )


class DatabaseError(Exception):
    sqlstate = "23505"


CALLS = {"http.client": client_call, "http.server": server_call, "db.client": database_call}


@pytest.mark.parametrize("name", KEYS)
def test_every_key_is_an_attribute_of_the_registry_and_not_deprecated(name: str, registry: Any) -> None:
    attribute = registry["attributes"].get(KEYS[name])
    assert attribute is not None, f"{KEYS[name]} is no attribute"
    assert not attribute.get("deprecated")


@pytest.mark.parametrize("span", CALLS)
def test_a_full_call_has_every_required_and_recommended_attribute(span: str, registry: Any) -> None:
    call = CALLS[span]()
    if isinstance(call, DatabaseCall):
        call.peer_address, call.peer_port = "10.0.0.2", 5433
    # Some conditions exclude each other: what the name of the protocol is, is told only for one that is not http.
    attributes = {**call.start(), **call.end(DatabaseError("no"))}
    wanted = {
        name
        for name, row in registry["spans"][span]["attributes"].items()
        if row["requirement_level"] in ("required", "conditionally_required", "recommended")
    }
    assert wanted - set(attributes) == set()


@pytest.mark.parametrize("span", CALLS)
def test_all_that_a_sampler_may_judge_by_is_known_at_the_start(span: str, registry: Any) -> None:
    relevant = {
        name
        for name, row in registry["spans"][span]["attributes"].items()
        if row.get("sampling_relevant") and row["requirement_level"] != "opt_in"
    }
    assert relevant - set(CALLS[span]().start()) == set()


@pytest.mark.parametrize("span", CALLS)
def test_nothing_is_written_that_the_convention_of_the_span_does_not_know(span: str, registry: Any) -> None:
    call = CALLS[span]()
    known = set(registry["spans"][span]["attributes"])
    assert set(call.start()) | set(call.end(DatabaseError("no"))) <= known


@pytest.mark.parametrize("span", CALLS)
def test_every_value_has_the_type_the_registry_gives_it(span: str, registry: Any) -> None:
    call = CALLS[span]()
    types = {"string": str, "int": int}
    for name, value in {**call.start(), **call.end(DatabaseError("no"))}.items():
        assert type(value) is types[registry["attributes"][name]["type"]], name


@pytest.mark.parametrize("span", CALLS)
def test_the_kind_of_the_span_is_the_conventions(span: str, registry: Any) -> None:
    kinds = ["internal", "server", "client", "producer", "consumer"]
    assert kinds[CALLS[span]().kind] == registry["spans"][span]["kind"]


def test_each_start_is_a_dict_of_its_own() -> None:
    call = client_call()
    assert call.start() is not call.start()
