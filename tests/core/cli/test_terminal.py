"""Terminals, and what is none."""

from __future__ import annotations

import io

import pytest

from remora.cli.terminal import Terminal, clean


class Screen(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def _printed(file: io.StringIO, *parts: str | tuple[str, str]) -> str:
    Terminal(file).line(*parts)
    return file.getvalue()


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[31m" in _printed(Screen(), ("no", "red"))
    assert _printed(io.StringIO(), ("no", "red")) == "no\n"


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in _printed(Screen(), ("no", "red"))


def test_markup_in_a_program_s_text_is_text() -> None:
    assert _printed(io.StringIO(), "[bold]x[/bold] :smile: http://a") == "[bold]x[/bold] :smile: http://a\n"


def test_a_line_ends_where_the_width_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert _printed(io.StringIO(), "x" * 61) == "x" * 59 + "…\n"
    assert _printed(io.StringIO(), "x" * 60) == "x" * 60 + "\n"


def test_wide_characters_count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert _printed(io.StringIO(), "注" * 31) == "注" * 29 + " …\n"  # half of one has no place


def test_an_encoding_without_line_drawing_gets_ascii_of_the_same_width() -> None:
    written = io.BytesIO()
    file = io.TextIOWrapper(written, encoding="ascii")
    Terminal(file).line("● ├─ ━━ 3 µs größe")
    file.flush()
    assert written.getvalue() == b"* |- == 3 us gr??e\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SELECT  1\n  FROM t", "SELECT 1 FROM t"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\x07b\u202ec", "a\\x07b\\u202ec"),
        ("größe 🦈", "größe 🦈"),
    ],
)
def test_what_a_program_says_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_hanging_text_stands_beside_its_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    file = io.StringIO()
    Terminal(file).hanging(("  - ", ""), "one two three four five six seven eight nine ten")
    assert file.getvalue() == "  - one two three four five six seven\n    eight nine ten\n"
