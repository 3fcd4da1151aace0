"""W3C Trace Context headers, well-formed and not."""

from __future__ import annotations

import pytest

from remora.telemetry.tracecontext import clean_state, parse
from remora.telemetry.traceparent_cy import traceparent

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def test_a_parent_is_read_and_written_back_alike():
    header = f"00-{TRACE}-{SPAN}-01"
    parent = parse(header, None)
    assert parent.remote
    assert f"{parent.trace_hi:016x}{parent.trace_lo:016x}" == TRACE
    assert f"{parent.span_id:016x}" == SPAN
    assert traceparent(parent) == header


@pytest.mark.parametrize("flags", ["00", "01", "02", "03"])
def test_the_sampled_and_random_flags_travel(flags):
    assert traceparent(parse(f"00-{TRACE}-{SPAN}-{flags}", None)).endswith(f"-{flags}")


def test_unknown_flags_are_not_passed_on():
    assert traceparent(parse(f"00-{TRACE}-{SPAN}-ff", None)).endswith("-03")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN.upper()}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0x",
        f"00_{TRACE}_{SPAN}_01",
        f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01.what",
    ],
)
def test_a_malformed_parent_is_no_parent(header):
    assert parse(header, "a=1") is None


@pytest.mark.parametrize("header", [f"cc-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-the-future-brings"])
def test_a_future_version_is_read_by_its_first_four_fields(header):
    assert traceparent(parse(header, None)) == f"00-{TRACE}-{SPAN}-01"


def test_surrounding_white_space_is_ignored():
    assert parse(f" \t00-{TRACE}-{SPAN}-01\t ", None) is not None


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (None, ""),
        ("", ""),
        ("a=1", "a=1"),
        ("a=1,b=2", "a=1,b=2"),
        (" a=1 ,\tb=2", "a=1,b=2"),
        ("a=1,,b=2", "a=1,b=2"),
        ("t@vendor=x", "t@vendor=x"),
        ("0a*/_-=v", "0a*/_-=v"),
        ("a=1,a=2", "a=1"),
        ("a=1,b=2,a=1", "a=1,b=2"),
        ("a=1,a=\x01", ""),
        ("A=1", ""),
        ("a", ""),
        ("a=", ""),
        ("=1", ""),
        ("a =1", ""),
        ("a=1=2", ""),
        ("@v=1", ""),
        ("t@=1", ""),
        ("t@v@w=1", ""),
        ("t@1v=1", ""),
        ("a=\u00fc", ""),
        ("a=1,b=\x01", ""),
        (",".join(f"k{n}=1" for n in range(32)), ",".join(f"k{n}=1" for n in range(32))),
        (",".join(f"k{n}=1" for n in range(33)), ""),
        ("k" * 256 + "=1", "k" * 256 + "=1"),
        ("k" * 257 + "=1", ""),
        ("k=" + "v" * 256, "k=" + "v" * 256),
        ("k=" + "v" * 257, ""),
        ("t" * 241 + "@" + "v" * 14 + "=1", "t" * 241 + "@" + "v" * 14 + "=1"),
        ("t" * 242 + "@v=1", ""),
        ("t@" + "v" * 15 + "=1", ""),
        ("a=" + "b" * 9000, ""),
    ],
)
def test_tracestate_is_kept_whole_or_dropped(header, kept):
    assert clean_state(header) == kept


def test_a_broken_tracestate_does_not_break_the_parent():
    parent = parse(f"00-{TRACE}-{SPAN}-01", "A=1")
    assert parent.span_id == int(SPAN, 16)
    assert parent.tracestate == ""
