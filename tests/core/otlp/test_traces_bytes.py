"""The bytes are those of the reference encoder, and where that has none, what any receiver can read."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from core.otlp.records import TWINS, fresh_scopes, our_bytes, reference_bytes, span_fields
from remora.otlp.decode import decode_traces
from remora.telemetry.scope import Scope


def _received(body: bytes) -> Any:
    """The only span of the request as the reference parser sees it."""
    return ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0]


@pytest.mark.parametrize("twin", TWINS)
@given(
    spans=st.lists(st.tuples(st.integers(0, 3), span_fields), min_size=1, max_size=5),
    schema_url=st.sampled_from([None, "", "https://s/1"]),
)
def test_any_spans_encode_to_the_bytes_of_the_reference(
    twin: Any, spans: list[tuple[int, dict[str, Any]]], schema_url: str | None
) -> None:
    scopes = fresh_scopes()
    spans_of_scopes = [(scopes[index], fields) for index, fields in spans]
    assert our_bytes(twin, spans_of_scopes, schema_url) == reference_bytes(spans_of_scopes, schema_url)


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("size", [0, 1, 2, 126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385, 2_097_151, 2_097_152])
@pytest.mark.parametrize("letter", ["x", "ß", "漢", "🦈"])
def test_lengths_at_the_edges_of_their_encoding_are_right(twin: Any, size: int, letter: str) -> None:
    text = letter * (size // len(letter.encode())) + "y" * (size % len(letter.encode()))
    scope = Scope("edges")
    spans: list[tuple[Scope, dict[str, Any]]] = [
        (scope, {"span_name": text}),
        (scope, {"attribute_values": {"key": text, text or "k": (text, {"inner": text})}}),
        (scope, {"event_records": [(text, 1, {text or "k": 1}, 0)], "status_code": 2, "status_message": text}),
        (
            scope,
            {"attribute_values": {"bytes": text.encode()}, "link_records": [(1, 2, 3, True, {"k": text}, 0, 1, "")]},
        ),
    ]
    assert our_bytes(twin, spans) == reference_bytes(spans)


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("attribute_count", range(1, 40))
def test_spans_of_every_small_size_have_the_right_length(twin: Any, attribute_count: int) -> None:
    scope = Scope("edges")
    spans = [
        (scope, {"span_name": "s" * extra, "attribute_values": dict.fromkeys(map(str, range(attribute_count)), 1)})
        for extra in range(12)
    ]
    assert our_bytes(twin, spans) == reference_bytes(spans)


@pytest.mark.parametrize("twin", TWINS)
def test_values_that_compare_equal_keep_their_types(twin: Any) -> None:
    scope = Scope("types")
    equal: list[Any] = [
        1,
        True,
        1.0,
        0,
        False,
        0.0,
        -0.0,
        1,
        True,
        1.0,
        math.nan,
        math.inf,
        -math.inf,
        None,
        "",
        b"",
        (),
        {},
    ]
    spans = [(scope, {"attribute_values": {"same.key": value}}) for value in [*equal, *reversed(equal)]]
    body = our_bytes(twin, spans)
    assert body == reference_bytes(spans)
    read = [span.attributes["same.key"] for span in decode_traces(body)[0].scopes[0].spans]
    assert list(map(repr, read)) == list(map(repr, [*equal, *reversed(equal)]))


@pytest.mark.parametrize("twin", TWINS)
def test_a_nan_keeps_its_bits(twin: Any) -> None:
    odd = struct.unpack("<d", bytes.fromhex("010000000000f8ff"))[0]
    assert bytes.fromhex("010000000000f8ff") in our_bytes(twin, [(Scope("nan"), {"attribute_values": {"k": odd}})])


@pytest.mark.parametrize("twin", TWINS)
def test_keys_and_values_of_many_spans_do_not_get_mixed_up(twin: Any) -> None:
    scope = Scope("many")
    spans = [
        (scope, {"attribute_values": {f"key{number % 50}": f"value{number}", "n": number, f"key{number}": "same"}})
        for number in range(12_000)
    ]
    assert our_bytes(twin, spans) == reference_bytes(spans)


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize(
    "number",
    [1 << 63, -(1 << 63) - 1, 1 << 64, 10**590, -(10**590)],
    ids=["2^63", "-2^63-1", "2^64", "10^590", "-10^590"],
)
def test_an_int_beyond_64_bits_is_sent_as_its_digits(twin: Any, number: int) -> None:
    span = _received(our_bytes(twin, [(Scope("big"), {"attribute_values": {"n": number, "many": (number, 1)}})]))
    assert span.attributes[0].value.string_value == str(number)
    assert span.attributes[1].value.array_value.values[0].string_value == str(number)


@pytest.mark.parametrize("twin", TWINS)
def test_an_int_that_python_refuses_to_print_is_sent_in_hexadecimal(twin: Any) -> None:
    number = -(1 << 100_000)
    span = _received(our_bytes(twin, [(Scope("big"), {"attribute_values": {"n": number}})]))
    assert span.attributes[0].value.string_value == hex(number)


@pytest.mark.parametrize("twin", TWINS)
@given(text=st.text(st.characters()).filter(lambda text: text != ""))
def test_lone_surrogates_become_question_marks_wherever_they_stand(twin: Any, text: str) -> None:
    fields = {
        "span_name": text,
        "attribute_values": {text: text, "n": (text, {text: text})},
        "event_records": [(text, 1, None, 0)],
        "status_message": text,
    }
    readable = text.encode("utf-8", "replace").decode()
    span = _received(our_bytes(twin, [(Scope(text, text, text), fields)]))
    assert span.name == span.events[0].name == span.status.message == readable
    assert [pair.key for pair in span.attributes if pair.key != "n"] in ([readable], [])
    assert span.attributes[0].value.string_value == readable or text == "n"


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("levels", [1, 15, 29, 30])
def test_nested_values_encode_to_the_bytes_of_the_reference(twin: Any, levels: int) -> None:
    value: Any = "core"
    for level in range(levels):
        value = {"in": value} if level % 2 else (value, level)
    spans = [(Scope("deep"), {"attribute_values": {"deep": value}, "event_records": [("e", 1, {"deep": value}, 0)]})]
    assert our_bytes(twin, spans) == reference_bytes(spans)


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("wrap", [lambda value: (value,), lambda value: {"in": value}, lambda value: [value]])
def test_what_is_nested_too_deeply_for_receivers_is_cut_off_there(twin: Any, wrap: Any) -> None:
    value: Any = "core"
    for _ in range(50_000):
        value = wrap(value)
    body = our_bytes(twin, [(Scope("deep"), {"event_records": [("e", 1, {"deep": value}, 0)]})])
    assert b"(nested too deeply)" in body
    assert _received(body).events[0].attributes[0].key == "deep"
    assert list(decode_traces(body)[0].scopes[0].spans[0].events[0].attributes) == ["deep"]
    while isinstance(value, (tuple, dict, list)):  # unwinding it in one go would overflow the stack of old Pythons
        value = value["in"] if isinstance(value, dict) else value[0]


@pytest.mark.parametrize("twin", TWINS)
def test_subclasses_of_the_plain_types_are_taken_for_what_they_are(twin: Any) -> None:
    class Word(str):
        __slots__ = ()

    class Number(int):
        def __repr__(self) -> str:
            raise AssertionError("code of the program was run")

    scope = Scope("subclasses")
    given_values = {"word": Word("wörd"), "number": Number(7), "great": Number(1 << 70), "list": [1, 2]}
    plain_values = {"word": "wörd", "number": 7, "great": str(1 << 70), "list": (1, 2)}
    assert our_bytes(twin, [(scope, {"attribute_values": given_values})]) == reference_bytes(
        [(scope, {"attribute_values": plain_values})]
    )


def test_both_twins_send_the_same_bytes_for_what_the_reference_cannot_encode() -> None:
    plain, compiled = (parameter.values[0] for parameter in TWINS)
    if compiled is None:
        pytest.skip("the encoder is not compiled here")
    scope = Scope("\udcff", "\ud800")
    spans = [(scope, {"span_name": "\ud800a", "attribute_values": {"k": 1 << 99, "d": "\udfff🦈", "h": 7**20_000}})]
    assert our_bytes(plain, spans) == our_bytes(compiled, spans)
