"""Secrets do not get into telemetry, and what is left stays readable."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora.conventions import redaction, sensitive_names
from remora.conventions.redaction import url_query

SECRET = "hunter2S3cret"

OF_THE_CONVENTION = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "AWSAccessKeyId",
    "Signature",
    "sig",
    "X-Goog-Signature",
]
OURS = [
    "token",
    "access_token",
    "refreshToken",
    "ID-TOKEN",
    "password",
    "passwd",
    "db.password",
    "client_secret",
    "api_key",
    "apiKey",
    "X-API-Key",
    "auth",
    "session",
    "sessionid",
    "jwt",
    "user[password]",
    "token[]",
    "%74oken",
    "%2574oken",
]


@pytest.mark.parametrize("name", OF_THE_CONVENTION + OURS)
def test_the_value_of_a_sensitive_parameter_goes_and_its_name_stays(name: str) -> None:
    assert url_query(f"a=1&{name}={SECRET}&b=2") == f"a=1&{name}=REDACTED&b=2"


@pytest.mark.parametrize("name", ["SIG", "Sig", "signature", "x-amz-signature"])
def test_the_conventions_own_names_are_matched_as_written(name: str) -> None:
    assert url_query(f"{name}=x") == f"{name}=x"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "page=2&q=a+b",
        "page_token=abc&nextPageToken=def",
        "code=DE",
        "key=5",
        "token=",
        "tokens=5&max_tokens=512",
        "from=2024-01-01T00%3A00%3A00Z",
        "next=https%3A%2F%2Fshop.example%2F%3Fpage%3D2",
        "a=b=c&&=&=d",
        "author=bob&keyword=x&secretary=eve",
    ],
)
def test_what_is_harmless_stays(query: str) -> None:
    assert url_query(query) == query


@pytest.mark.parametrize(
    "query",
    [
        f"code=0123456789abcdef{SECRET}",
        f"key=AIzaSyA0123456789{SECRET}",
        f"a=1;token={SECRET}",
        f"next=https://u:{SECRET}@shop.example/",
        f"next=https%3A%2F%2Fshop.example%2F%3Ftoken%3D{SECRET}",
        f"next=https%253A%252F%252Fshop.example%252F%253Fapi_key%253D{SECRET}",
        f"filter=%7B%22password%22%3A%22{SECRET}%22%7D",
        f"x=eyJhbGciOi.eyJzdWIi.{SECRET}",
        f"eyJhbGciOi.eyJzdWIi.{SECRET}",
        f"token={SECRET}=&a=1",
    ],
)
def test_a_secret_is_found_within_other_parameters(query: str) -> None:
    assert SECRET not in url_query(query)
    assert "REDACTED" in url_query(query)


def test_the_users_own_parameters_are_added() -> None:
    redaction.configure(["customer_no", "IBAN"])
    try:
        assert url_query("customerNo=1&iban=2&token=3&a=4") == ("customerNo=REDACTED&iban=REDACTED&token=REDACTED&a=4")
    finally:
        redaction.configure(())
    assert url_query("customerNo=1") == "customerNo=1"


READABLE = [
    ("connect to postgres://bob:{}@db/x failed", "connect to postgres://REDACTED:REDACTED@db/x failed"),
    ("amqp://u:{}@h1,amqp://u2:{}@h2", "amqp://REDACTED:REDACTED@h1,amqp://REDACTED:REDACTED@h2"),
    ("http://u:pa/{}@h/ x", "http://REDACTED:REDACTED@h/ x"),
    ("GET /x?sig={}&a=1 HTTP/1.1", "GET /x?sig=REDACTED&a=1 HTTP/1.1"),
    ("password={} failed", "password=REDACTED failed"),
    ("host=db user=x password='{}' dbname=y", "host=db user=x password='REDACTED' dbname=y"),
    ("Server=x;Uid=sa;Pwd=my {};Database=y", "Server=x;Uid=sa;Pwd=REDACTED;Database=y"),
    ("AccountName=a;AccountKey={}==;EndpointSuffix=b", "AccountName=a;AccountKey=REDACTED;EndpointSuffix=b"),
    ("{{'password': '{}', 'a': 1}}", "{{'password': 'REDACTED', 'a': 1}}"),
    ('{{"api_key": "{}"}}', '{{"api_key": "REDACTED"}}'),
    ('{{\\"token\\": \\"{}\\"}}', '{{\\"token\\": \\"REDACTED\\"}}'),
    ("Authorization: Bearer {}", "Authorization: REDACTED"),
    ("[(b'authorization', b'Basic {}')]", "[(b'authorization', b'REDACTED')]"),
    ("sent Bearer abc.{} to it", "sent Bearer REDACTED to it"),
    ("Command '['mysql', '--password', '{}']' failed", "Command '['mysql', '--password', 'REDACTED']' failed"),
    ("mysql --password {} -h x", "mysql --password REDACTED -h x"),
    ("Cookie: sid={}; a={}", "Cookie: REDACTED"),
    ("secret_access_key={}", "secret_access_key=REDACTED"),
    ("jwt eyJhbGciOi.eyJzdWIi.{} x", "jwt REDACTED x"),
    ("sk-proj-0123456789{}", "REDACTED"),
    (
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY----- x",
        "REDACTED x",
    ),
]


@pytest.mark.parametrize(("template", "expected"), READABLE)
def test_a_message_loses_its_secret_and_nothing_else(template: str, expected: str) -> None:
    message = template.replace("{}", SECRET).replace("{{", "{").replace("}}", "}")
    assert redaction.text(message) == expected.replace("{{", "{").replace("}}", "}")


@pytest.mark.parametrize(
    "key", ["AKIAIOSFODNN7EXAMPLE", "ghp_0123456789abcdefghij", "xoxb-1234567890-abc", "AIzaSyA0123456789abcdefghijklm"]
)
def test_keys_are_known_by_their_shape(key: str) -> None:
    assert redaction.text(f"key is {key}, sorry") == "key is REDACTED, sorry"


@pytest.mark.parametrize(
    "message",
    [
        "",
        "KeyError: 'user'",
        'password authentication failed for user "bob"',
        "the access-token expired",
        "Unexpected token: }",
        "max_tokens=512",
        "https://example.com:8080/path?email=a@b.com",
        "basic authentication is off",
        "Connection to 10.0.0.1:5432 refused (errno 111)",
        "password=None, token=null",
        'relation "users" does not exist',
        "no such column: foo",
        "UNIQUE constraint failed: users.email",
    ],
)
def test_an_ordinary_message_stays_as_it_is(message: str) -> None:
    assert redaction.text(message) == message


DATABASE = [
    (
        'violates unique constraint "uq"\nDETAIL:  Key (email)=({}@b) already exists.',
        'violates unique constraint "uq"\nDETAIL:  Key (email)=(REDACTED) already exists.',
    ),
    (
        'violates foreign key\nDETAIL:  Key (a, b)=(1, {}) is not present in table "t".\nHINT: look',
        'violates foreign key\nDETAIL:  Key (a, b)=(REDACTED) is not present in table "t".\nHINT: look',
    ),
    ("x\nDETAIL:  Key (a)=(1\n\n{}) already exists.", "x\nDETAIL:  Key (a)=(REDACTED) already exists."),
    ("x\nDETAIL:  Failing row contains (1, {}, null).", "x\nDETAIL:  Failing row contains (REDACTED)."),
    ("x\nDETAIL:  It was {}.\nHINT: look", "x\nDETAIL:  REDACTED\nHINT: look"),
    (
        "invalid input syntax for type integer: \"{}\"\nLINE 1: SELECT '{}'\n               ^",
        "invalid input syntax for type integer: REDACTED\nLINE 1: REDACTED\n               ^",
    ),
    ('value "{}" is out of range for type integer', "value REDACTED is out of range for type integer"),
    ("Duplicate entry '{}' for key 'users.email'", "Duplicate entry 'REDACTED' for key 'users.email'"),
    ("Duplicate entry 'O'B {}' for key 'k'", "Duplicate entry 'REDACTED' for key 'k'"),
    (
        "Incorrect integer value: '{}' for column 'age' at row 1",
        "Incorrect integer value: REDACTED for column 'age' at row 1",
    ),
    ("The duplicate key value is ({}, 1).", "The duplicate key value is (REDACTED)."),
    ("converting the varchar value '{}' to data type int.", "converting the varchar value REDACTED to data type int."),
    (
        "(E) dup\n[SQL: INSERT INTO users (e, n) VALUES (%(e)s, '{}')]\n[parameters: {'e': '{}'}]\n(Background x)",
        "(E) dup\n[SQL: INSERT INTO users (e, n) VALUES (%(e)s, ?)]\n[parameters: REDACTED]\n(Background x)",
    ),
    ("x\nCONTEXT:  JSON data, line 1: {}...", "x\nCONTEXT:  REDACTED"),
]


@pytest.mark.parametrize(("template", "expected"), DATABASE)
def test_data_that_a_database_quotes_in_its_error_goes_from_any_text(template: str, expected: str) -> None:
    message = template.replace("{}", SECRET)
    assert redaction.text(message) == expected
    assert SECRET not in redaction.database_text(message)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('column "x" of relation "t" does not exist', 'column "x" of relation "t" does not exist'),
        ("(1146, \"Table 'db.users' doesn't exist\")", "(1146, \"Table 'db.users' doesn't exist\")"),
        ("Unknown column 'a' in 'field list'", "Unknown column 'a' in 'field list'"),
        ('near "FROM": syntax error', 'near "FROM": syntax error'),
        (f'near "{SECRET}": syntax error', "near REDACTED: syntax error"),
        (f"whatever '{SECRET}' it quotes", "whatever 'REDACTED' it quotes"),
        (f"near ''a', '{SECRET}' at line 1", "near REDACTED, 'REDACTED' at line 1"),
    ],
)
def test_a_database_message_keeps_the_names_it_quotes_only(message: str, expected: str) -> None:
    assert redaction.database_text(message) == expected


def test_a_long_stack_trace_keeps_its_beginning_and_its_end() -> None:
    trace = "Traceback:\n" + f"  File x password={SECRET}\n" * 5000 + "ValueError: the end"
    text = redaction.text(trace)
    assert text.startswith("Traceback:")
    assert text.endswith("ValueError: the end")
    assert len(text) < 40_000
    assert SECRET not in text


def test_user_information_goes_from_every_url_in_a_text() -> None:
    assert (
        redaction.userinfo(f"a://u:{SECRET}@h b://x@h c://h") == "a://REDACTED:REDACTED@h b://REDACTED:REDACTED@h c://h"
    )


@given(st.text() | st.binary() | st.none() | st.integers())
def test_no_message_makes_it_raise(message: object) -> None:
    assert isinstance(redaction.text(message), str)
    assert isinstance(redaction.database_text(message), str)


@given(st.text(), st.text())
def test_no_query_makes_it_raise_or_lets_a_sensitive_value_through(before: str, after: str) -> None:
    query = url_query(f"{before}&password={SECRET}&{after}")
    assert SECRET not in query


WORDS = [
    "password=",
    "token: ",
    "://u:",
    "@h ",
    "Key (a)=(",
    ") already exists",
    "DETAIL: ",
    "\n",
    "'",
    '"',
    "\\",
    " x ",
    "{",
    "}",
]


@given(st.lists(st.sampled_from(WORDS)), st.lists(st.sampled_from(WORDS)))
def test_a_secret_in_quotes_after_a_telling_name_never_survives(before: list[str], after: list[str]) -> None:
    text = "".join(before) + f" api_key={json.dumps(SECRET)} " + "".join(after)
    assert SECRET not in redaction.text(text)


HOSTILE = [
    "//a:" * 8000,
    "?a=" * 10_000,
    "password='" * 3000,
    "\\" * 30_000,
    "Key (a)=(" * 3000,
    "[SQL: " * 5000,
    "DETAIL: \n" * 3000,
    "'" * 32_000,
    "CONTEXT: '\n" * 3000,
    "-----BEGIN PRIVATE KEY-----" * 1000,
    "bearer " + "a" * 32_000,
    "password = " + " " * 30_000,
    "('" * 16_000,
    "=%3D" * 8000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_text_is_answered_at_once(text: str) -> None:
    # Quadratic work on these takes many seconds; the bound is far above what a busy machine needs for linear work.
    begin = time.process_time()
    redaction.database_text(text)
    url_query(text)
    assert time.process_time() - begin < 2


def test_names_made_up_by_clients_do_not_fill_the_memory() -> None:
    for number in range(5000):
        url_query(f"name{number}=1")
    assert len(sensitive_names.verdicts) <= 1024


@pytest.mark.parametrize(
    "text",
    [
        f"/fetch/https%3A%2F%2Fuser%3A{SECRET}%40example.org%2F",
        f"/fetch/https:%2F%2Fuser:{SECRET}@example.org%2F",
        f"/fetch/https://user%3A{SECRET}%40example.org/",
        f"url=https%253A%252F%252Fuser%253A{SECRET}%2540example.org",
        f"with url: /?next=https%3A%2F%2Fexample.org%2F%3Ftoken%3D{SECRET}&a=1",
        f"with url: /?next=https%253A%252F%252Fexample.org%252F%253Ftoken%253D{SECRET}",
        f"with url: /?json=%7B%22password%22%3A%22{SECRET}%22%7D",
    ],
)
def test_a_url_encoded_in_another_one_hides_no_secret(text: str) -> None:
    assert SECRET not in redaction.text(text)


@pytest.mark.parametrize("text", ["https://h/me%40x.org", "a%2F%2Fh%3Fmail%3Dme%40x", "?next=https%3A%2F%2Fh%2F&a=b"])
def test_an_encoded_url_without_credentials_stays(text: str) -> None:
    assert redaction.text(text) == text
