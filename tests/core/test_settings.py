"""What the environment says becomes settings: types, precedence, and a plain line for what cannot be meant."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from remora.settings import NO_TIMEOUT_S, VARIABLES, Settings, load
from remora.settings.showing import describe


def settings(**environ: str) -> Settings:
    loaded = load(environ)
    assert loaded.problems == ()
    return loaded.settings


def problem(**environ: str) -> str:
    problems = load(environ).problems
    assert len(problems) == 1, problems
    return problems[0]


DEFAULTS: dict[str, Any] = {
    "enabled": True,
    "service_name": None,
    "resource_attributes": {},
    "resource_detectors": (),
    "log_level": "info",
    "propagators": ("tracecontext", "baggage"),
    "traces_sampler": "parentbased_always_on",
    "traces_sampler_arg": None,
    "id_generator": "random",
    "traces_exporter": ("otlp",),
    "metrics_exporter": ("otlp",),
    "logs_exporter": ("otlp",),
    "attribute_value_length_limit": None,
    "attribute_count_limit": 128,
    "span_attribute_value_length_limit": None,
    "span_attribute_count_limit": 128,
    "span_event_count_limit": 128,
    "span_link_count_limit": 128,
    "event_attribute_count_limit": 128,
    "link_attribute_count_limit": 128,
    "bsp_schedule_delay_s": 5.0,
    "bsp_export_timeout_s": 30.0,
    "bsp_max_queue_size": 65536,
    "bsp_max_export_batch_size": 8192,
    "blrp_schedule_delay_s": 1.0,
    "blrp_export_timeout_s": 30.0,
    "blrp_max_queue_size": 65536,
    "blrp_max_export_batch_size": 8192,
    "metric_export_interval_s": 60.0,
    "metric_export_timeout_s": 30.0,
    "metrics_temporality": "cumulative",
    "metrics_exemplar_filter": "trace_based",
    "queue_max_bytes": 16 * 1024 * 1024,
    "instrumentations": ("*",),
    "disabled_instrumentations": (),
    "http_known_methods": (),
    "excluded_urls": (),
    "excluded_expressions": dict.fromkeys(
        (
            "aiohttp_client",
            "aiohttp_server",
            "django",
            "falcon",
            "fastapi",
            "flask",
            "httpx",
            "pyramid",
            "requests",
            "starlette",
            "tornado",
            "urllib",
            "urllib3",
        ),
        (),
    ),
    "captured_headers": dict.fromkeys(("server_request", "server_response", "client_request", "client_response"), ()),
    "sanitized_headers": (),
    "optional_attributes": (),
    "sqlcommenter": False,
    "url_templates": (),
    "trust_forwarded": True,
    "message_parent": False,
    "propagate_to": ("*",),
    "sensitive_query_parameters": (),
    "quarantine_after": 10,
    "propagate_to_children": True,
    "exit_timeout_s": 2.0,
    "store_max_bytes": 64 * 1024 * 1024,
}


@pytest.mark.parametrize(("attribute", "value"), DEFAULTS.items())
def test_an_empty_environment_gives_the_documented_default(attribute: str, value: Any) -> None:
    assert getattr(settings(), attribute) == value


def test_no_setting_is_without_a_tested_default() -> None:
    elsewhere = {"store_dir", "traces_otlp", "metrics_otlp", "logs_otlp"}
    assert set(Settings.__slots__) == DEFAULTS.keys() | elsewhere


CHOSEN: list[tuple[str, str, str, Any]] = [
    ("REMORA_ENABLED", "false", "enabled", False),
    ("OTEL_SDK_DISABLED", "TRUE", "enabled", False),
    ("OTEL_SERVICE_NAME", " shop ", "service_name", "shop"),
    ("OTEL_RESOURCE_ATTRIBUTES", "team=a%2Cb, tier = x=y,", "resource_attributes", {"team": "a,b", "tier": "x=y"}),
    ("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process, container", "resource_detectors", ("process", "container")),
    ("OTEL_LOG_LEVEL", "WARN", "log_level", "warning"),
    ("OTEL_PROPAGATORS", "b3, tracecontext,b3", "propagators", ("b3", "tracecontext")),
    ("OTEL_TRACES_SAMPLER", "Always_Off", "traces_sampler", "always_off"),
    ("OTEL_PYTHON_ID_GENERATOR", "xray", "id_generator", "xray"),
    ("OTEL_TRACES_EXPORTER", "otlp,console", "traces_exporter", ("otlp", "console")),
    ("OTEL_TRACES_EXPORTER", "store", "traces_exporter", ("store",)),
    ("OTEL_TRACES_EXPORTER", "console,store", "traces_exporter", ("console", "store")),
    ("OTEL_METRICS_EXPORTER", "none", "metrics_exporter", ("none",)),
    ("OTEL_LOGS_EXPORTER", "Console", "logs_exporter", ("console",)),
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "0", "attribute_value_length_limit", 0),
    ("OTEL_ATTRIBUTE_COUNT_LIMIT", "unset", "attribute_count_limit", None),
    ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100", "span_attribute_value_length_limit", 100),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "7", "span_attribute_count_limit", 7),
    ("OTEL_SPAN_EVENT_COUNT_LIMIT", "8", "span_event_count_limit", 8),
    ("OTEL_SPAN_LINK_COUNT_LIMIT", "9", "span_link_count_limit", 9),
    ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "10", "event_attribute_count_limit", 10),
    ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "11", "link_attribute_count_limit", 11),
    ("OTEL_BSP_SCHEDULE_DELAY", "250", "bsp_schedule_delay_s", 0.25),
    ("OTEL_BSP_EXPORT_TIMEOUT", "0", "bsp_export_timeout_s", NO_TIMEOUT_S),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "20000", "bsp_max_queue_size", 20000),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512", "bsp_max_export_batch_size", 512),
    ("OTEL_BLRP_SCHEDULE_DELAY", "0", "blrp_schedule_delay_s", 0.0),
    ("OTEL_BLRP_EXPORT_TIMEOUT", "1500", "blrp_export_timeout_s", 1.5),
    ("OTEL_BLRP_MAX_QUEUE_SIZE", "9000", "blrp_max_queue_size", 9000),
    ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "1", "blrp_max_export_batch_size", 1),
    ("OTEL_METRIC_EXPORT_INTERVAL", "1000", "metric_export_interval_s", 1.0),
    ("OTEL_METRIC_EXPORT_TIMEOUT", "0", "metric_export_timeout_s", NO_TIMEOUT_S),
    ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "Delta", "metrics_temporality", "delta"),
    ("OTEL_METRICS_EXEMPLAR_FILTER", "always_off", "metrics_exemplar_filter", "always_off"),
    ("REMORA_QUEUE_MAX_BYTES", "1048576", "queue_max_bytes", 1048576),
    ("REMORA_INSTRUMENTATIONS", "flask,sql*", "instrumentations", ("flask", "sql*")),
    ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "urllib*", "disabled_instrumentations", ("urllib*",)),
    ("REMORA_SENSITIVE_QUERY_PARAMETERS", "ticket,pin", "sensitive_query_parameters", ("ticket", "pin")),
    ("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "GET,BREW", "http_known_methods", ("GET", "BREW")),
    ("REMORA_EXCLUDED_URLS", "/health*, *.internal", "excluded_urls", ("/health*", "*.internal")),
    (
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS",
        ".*pin.*,x-note",
        "sanitized_headers",
        (".*pin.*", "x-note"),
    ),
    ("REMORA_OPTIONAL_ATTRIBUTES", "http.*.body.size", "optional_attributes", ("http.*.body.size",)),
    ("REMORA_SQLCOMMENTER", "true", "sqlcommenter", True),
    ("REMORA_URL_TEMPLATES", "/users/{id},/a", "url_templates", ("/users/{id}", "/a")),
    ("REMORA_TRUST_FORWARDED", "false", "trust_forwarded", False),
    ("REMORA_MESSAGE_PARENT", "true", "message_parent", True),
    ("REMORA_PROPAGATE_TO", "*.shop.example,!x", "propagate_to", ("*.shop.example", "!x")),
    ("REMORA_QUARANTINE_AFTER", "3", "quarantine_after", 3),
    ("REMORA_PROPAGATE_TO_CHILDREN", "false", "propagate_to_children", False),
    ("REMORA_EXIT_TIMEOUT", "500", "exit_timeout_s", 0.5),
    ("REMORA_STORE_DIR", "/var/traces", "store_dir", "/var/traces"),
    ("REMORA_STORE_MAX_BYTES", "0", "store_max_bytes", 0),
]


@pytest.mark.parametrize(("name", "text", "attribute", "value"), CHOSEN)
def test_a_variable_sets_its_setting(name: str, text: str, attribute: str, value: Any) -> None:
    loaded = load({name: text})
    assert loaded.problems == ()
    assert getattr(loaded.settings, attribute) == value
    assert loaded.origins[name] == "environment"


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES])
def test_an_empty_value_is_as_good_as_none(name: str) -> None:
    loaded = load({name: "  "})
    assert loaded.problems == ()
    assert loaded.origins[name] == "default"


GROUPED = {
    "OTEL_PYTHON_AIOHTTP_CLIENT_EXCLUDED_URLS": ("excluded_expressions", "aiohttp_client"),
    "OTEL_PYTHON_AIOHTTP_SERVER_EXCLUDED_URLS": ("excluded_expressions", "aiohttp_server"),
    "OTEL_PYTHON_DJANGO_EXCLUDED_URLS": ("excluded_expressions", "django"),
    "OTEL_PYTHON_FALCON_EXCLUDED_URLS": ("excluded_expressions", "falcon"),
    "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": ("excluded_expressions", "fastapi"),
    "OTEL_PYTHON_FLASK_EXCLUDED_URLS": ("excluded_expressions", "flask"),
    "OTEL_PYTHON_HTTPX_EXCLUDED_URLS": ("excluded_expressions", "httpx"),
    "OTEL_PYTHON_PYRAMID_EXCLUDED_URLS": ("excluded_expressions", "pyramid"),
    "OTEL_PYTHON_REQUESTS_EXCLUDED_URLS": ("excluded_expressions", "requests"),
    "OTEL_PYTHON_STARLETTE_EXCLUDED_URLS": ("excluded_expressions", "starlette"),
    "OTEL_PYTHON_TORNADO_EXCLUDED_URLS": ("excluded_expressions", "tornado"),
    "OTEL_PYTHON_URLLIB_EXCLUDED_URLS": ("excluded_expressions", "urllib"),
    "OTEL_PYTHON_URLLIB3_EXCLUDED_URLS": ("excluded_expressions", "urllib3"),
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": ("captured_headers", "server_request"),
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE": ("captured_headers", "server_response"),
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST": ("captured_headers", "client_request"),
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE": ("captured_headers", "client_response"),
}


@pytest.mark.parametrize("name", GROUPED)
def test_a_list_of_regular_expressions_is_one_of_a_group(name: str) -> None:
    group, entry = GROUPED[name]
    chosen = getattr(settings(**{name: " a.*b , c"}), group)
    assert chosen.pop(entry) == ("a.*b", "c")
    assert not any(chosen.values())


def test_a_librarys_list_of_excluded_urls_wins_over_the_general_one() -> None:
    general = {"OTEL_PYTHON_EXCLUDED_URLS": "health"}
    chosen = settings(**general, OTEL_PYTHON_FLASK_EXCLUDED_URLS="ready").excluded_expressions
    assert chosen.pop("flask") == ("ready",)
    assert set(chosen.values()) == {("health",)}


def test_what_is_no_regular_expression_is_told() -> None:
    loaded = load({"OTEL_PYTHON_EXCLUDED_URLS": "*/health"})
    assert set(loaded.settings.excluded_expressions.values()) == {()}
    (problem,) = loaded.problems
    assert "OTEL_PYTHON_EXCLUDED_URLS" in problem
    assert "regular expressions separated by commas" in problem


OTLP: list[tuple[str, str, Any]] = [
    ("PROTOCOL", "GRPC", "grpc"),
    ("HEADERS", "Authorization=Bearer%20x,x-team = a b", {"authorization": "Bearer x", "x-team": "a b"}),
    ("TIMEOUT", "2500", 2.5),
    ("COMPRESSION", "Gzip", "gzip"),
    ("CERTIFICATE", "/etc/ca.pem", "/etc/ca.pem"),
    ("CLIENT_KEY", "/etc/key.pem", "/etc/key.pem"),
    ("CLIENT_CERTIFICATE", "/etc/cert.pem", "/etc/cert.pem"),
]


@pytest.mark.parametrize(("suffix", "text", "value"), OTLP)
@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
def test_otlp_is_set_for_one_signal_or_for_all(suffix: str, text: str, value: Any, signal: str) -> None:
    attribute = {"TIMEOUT": "timeout_s"}.get(suffix, suffix.lower())
    others = {"traces", "metrics", "logs"} - {signal}
    general = settings(**{f"OTEL_EXPORTER_OTLP_{suffix}": text})
    specific = settings(**{f"OTEL_EXPORTER_OTLP_{signal.upper()}_{suffix}": text})
    assert getattr(getattr(general, f"{signal}_otlp"), attribute) == value
    assert getattr(getattr(specific, f"{signal}_otlp"), attribute) == value
    assert all(getattr(getattr(specific, f"{other}_otlp"), attribute) != value for other in others)


def test_otlp_defaults_are_zstd_over_http_to_this_machine() -> None:
    otlp = settings().traces_otlp
    assert (otlp.endpoint, otlp.protocol, otlp.compression) == (
        "http://localhost:4318/v1/traces",
        "http/protobuf",
        "zstd",
    )
    assert (otlp.timeout_s, otlp.headers, otlp.insecure, otlp.configured) == (10.0, {}, True, False)
    assert (otlp.certificate, otlp.client_key, otlp.client_certificate) == (None, None, None)


def test_the_specific_variable_wins_and_replaces_headers_as_a_whole() -> None:
    chosen = settings(
        OTEL_EXPORTER_OTLP_HEADERS="a=1,b=2",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS="c=3",
        OTEL_EXPORTER_OTLP_TIMEOUT="4000",
        OTEL_EXPORTER_OTLP_METRICS_TIMEOUT="3000",
    )
    assert chosen.traces_otlp.headers == {"c": "3"}
    assert chosen.logs_otlp.headers == {"a": "1", "b": "2"}
    assert (chosen.traces_otlp.timeout_s, chosen.metrics_otlp.timeout_s) == (4.0, 3.0)


@pytest.mark.parametrize(
    ("base", "full"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://gate.example/otlp/", "https://gate.example/otlp/v1/traces"),
        ("https://gate.example/otlp?tenant=7", "https://gate.example/otlp/v1/traces?tenant=7"),
        ("http://[::1]:4318", "http://[::1]:4318/v1/traces"),
    ],
)
def test_a_general_endpoint_is_a_base_to_which_the_signal_is_appended(base: str, full: str) -> None:
    otlp = settings(OTEL_EXPORTER_OTLP_ENDPOINT=base).traces_otlp
    assert (otlp.endpoint, otlp.configured) == (full, True)


def test_an_endpoint_for_one_signal_is_used_as_it_is_and_for_no_other() -> None:
    chosen = settings(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://all:4318",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="https://traces/in",
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="http://logs/",
    )
    assert chosen.traces_otlp.endpoint == "https://traces/in"
    assert chosen.metrics_otlp.endpoint == "http://all:4318/v1/metrics"
    assert chosen.logs_otlp.endpoint == "http://logs/"
    assert not settings(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="http://m/").traces_otlp.configured


def test_grpc_has_its_own_port_and_takes_endpoints_as_they_are() -> None:
    grpc = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert settings(**grpc).traces_otlp.endpoint == "http://localhost:4317"
    assert settings(**grpc, OTEL_EXPORTER_OTLP_ENDPOINT="https://c:4317").traces_otlp.endpoint == "https://c:4317"
    one = settings(OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="grpc", OTEL_EXPORTER_OTLP_ENDPOINT="http://c:4317")
    assert (one.traces_otlp.endpoint, one.logs_otlp.endpoint) == ("http://c:4317", "http://c:4317/v1/logs")


@pytest.mark.parametrize(
    ("endpoint", "variable", "insecure"),
    [
        ("http://c:4317", "false", True),
        ("https://c:4317", "true", False),
        ("c:4317", "true", True),
        ("c:4317", "false", False),
    ],
)
@pytest.mark.parametrize("infix", ["", "TRACES_"])
def test_the_scheme_decides_on_tls_and_the_variable_only_where_there_is_none(
    endpoint: str, variable: str, insecure: bool, infix: str
) -> None:
    otlp = settings(
        **{
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            f"OTEL_EXPORTER_OTLP_{infix}INSECURE": variable,
        }
    ).traces_otlp
    assert otlp.insecure is insecure


WRONG: list[tuple[str, str, str]] = [
    ("REMORA_ENABLED", "maybe", "true or false; using true"),
    ("OTEL_SDK_DISABLED", "1", "true or false; using false"),
    ("OTEL_RESOURCE_ATTRIBUTES", "a=1,b", "key=value pairs"),
    ("OTEL_RESOURCE_ATTRIBUTES", "a=%ff", "percent-encoded UTF-8; ignored"),
    ("OTEL_LOG_LEVEL", "loud", "one of debug, info, warning, error, none; using info"),
    ("OTEL_TRACES_EXPORTER", "zipkin", "none, otlp, store or console, or console with one of them (otlp,console)"),
    ("OTEL_TRACES_EXPORTER", "otlp,store", "(otlp,console); using otlp"),
    ("OTEL_TRACES_EXPORTER", "none,otlp", "(otlp,console); using otlp"),
    ("OTEL_ATTRIBUTE_COUNT_LIMIT", "-1", "a whole number from 0, or unset for no limit; using 128"),
    ("OTEL_BSP_SCHEDULE_DELAY", "5s", "milliseconds, a whole number from 0; using 5000"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "a whole number from 1; using 65536"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "1_000", "a whole number from 1; using 65536"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "9" * 5000, "a whole number from 1; using 65536"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "one of http/protobuf, grpc; using http/protobuf"),
    ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "brotli", "one of zstd, gzip, deflate, none; using zstd"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "a URL that starts with http:// or https://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:port", "a URL with a host and, if any, a port from 1 to 65535"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:99999", "a URL with a host and, if any, a port from 1 to 65535"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "a URL with a host"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a b", "a URL such as http://localhost:4318"),
    ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "ten", "milliseconds, a whole number from 0; using 10000"),
    (
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "base2_exponential_bucket_histogram",
        "only explicit_bucket_histogram, for Remora makes no exponential histograms; using explicit_bucket_histogram",
    ),
]


@pytest.mark.parametrize(("name", "text", "words"), WRONG)
def test_a_wrong_value_is_told_in_one_line_and_the_default_used(name: str, text: str, words: str) -> None:
    line = problem(**{name: text})
    assert line.startswith(f"{name}: '{text[:10]}")
    assert words in line
    assert len(line) < 300
    assert "\n" not in line
    wrong, right = load({name: text}).settings, load({}).settings
    plain = [slot for slot in Settings.__slots__ if not slot.endswith("_otlp")]
    assert [getattr(wrong, slot) for slot in plain] == [getattr(right, slot) for slot in plain]
    assert wrong.traces_otlp.endpoint == right.traces_otlp.endpoint
    assert wrong.logs_otlp.timeout_s == right.logs_otlp.timeout_s


def test_the_histograms_that_are_made_can_be_asked_for() -> None:
    name = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
    assert load({name: "Explicit_Bucket_Histogram"}).problems == ()


def test_a_wrong_value_for_one_signal_leaves_the_general_one_in_force() -> None:
    environ = {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "lzma"}
    assert "using gzip" in problem(**environ)
    assert load(environ).settings.traces_otlp.compression == "gzip"
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://all", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "traces:4318"}
    assert "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" in problem(**environ)
    assert load(environ).settings.traces_otlp.endpoint == "http://all/v1/traces"


def test_control_characters_of_a_value_stay_on_the_line() -> None:
    assert "\n" not in problem(OTEL_LOG_LEVEL="a\nremora: forged\x1b[2J")
    assert "\x1b" not in problem(OTEL_LOG_LEVEL="a\nremora: forged\x1b[2J")


@pytest.mark.parametrize(
    "headers", ["authorization=sesame%0d%0ax-forged: 1", "sesame", "x=1,sesame", "a b=sesame", "=sesame", "x=%ffsesame"]
)
@pytest.mark.parametrize(
    "name", ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"]
)
def test_wrong_headers_are_told_without_what_may_be_a_secret(name: str, headers: str) -> None:
    line = problem(**{name: headers})
    assert line.startswith(f"{name}: its value (kept secret) is not accepted")
    assert "sesame" not in line
    assert load({name: headers}).settings.metrics_otlp.headers == {}


def test_passwords_and_queries_of_a_wrong_url_are_starred() -> None:
    line = problem(OTEL_EXPORTER_OTLP_ENDPOINT="https://me:sesame@host:0/?token=sesame")
    assert "sesame" not in line
    assert "***@host:0" in line


@pytest.mark.parametrize("ratio", ["2", "-0.1", "half", "nan"])
def test_a_ratio_is_checked_where_the_sampler_takes_one(ratio: str) -> None:
    environ = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    assert "a ratio from 0 to 1" in problem(**environ)
    assert load(environ).settings.traces_sampler_arg is None
    assert settings(OTEL_TRACES_SAMPLER="my_sampler", OTEL_TRACES_SAMPLER_ARG=ratio).traces_sampler_arg == ratio
    assert settings(OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="0.25").traces_sampler_arg == "0.25"


def test_a_batch_never_holds_more_than_the_queue() -> None:
    assert settings(OTEL_BSP_MAX_QUEUE_SIZE="100").bsp_max_export_batch_size == 100
    environ = {"OTEL_BLRP_MAX_QUEUE_SIZE": "100", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "200"}
    assert "only up to OTEL_BLRP_MAX_QUEUE_SIZE; using 100" in problem(**environ)
    assert load(environ).settings.blrp_max_export_batch_size == 100


def test_limits_of_spans_fall_back_to_those_of_everything() -> None:
    chosen = settings(
        OTEL_ATTRIBUTE_COUNT_LIMIT="5", OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT="50", OTEL_LINK_ATTRIBUTE_COUNT_LIMIT="6"
    )
    assert (chosen.span_attribute_count_limit, chosen.event_attribute_count_limit) == (5, 5)
    assert (chosen.link_attribute_count_limit, chosen.span_attribute_value_length_limit) == (6, 50)
    assert chosen.span_event_count_limit == 128


def test_seconds_where_milliseconds_belong_are_told_and_obeyed() -> None:
    assert problem(OTEL_EXPORTER_OTLP_TIMEOUT="10") == (
        "OTEL_EXPORTER_OTLP_TIMEOUT: '10' is read as milliseconds, which is very short"
    )
    assert load({"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "10"}).settings.traces_otlp.timeout_s == 0.01


def test_an_unknown_name_of_ours_is_told_with_the_one_that_was_meant() -> None:
    assert problem(REMORA_INSTRUMENTATION="flask") == (
        "REMORA_INSTRUMENTATION: no such variable; did you mean REMORA_INSTRUMENTATIONS?"
    )
    assert load({"REMORA_NO_EXT": "1", "REMORA_STARTING": "77", "OTEL_SOMETHING_ELSE": "1"}).problems == ()


def test_a_switch_that_turns_us_off_is_understood_however_it_is_written() -> None:
    assert [settings(REMORA_ENABLED=word).enabled for word in ("0", "no", "OFF", "False")] == [False] * 4
    assert not settings(REMORA_ENABLED="true", OTEL_SDK_DISABLED="true").enabled


def test_the_store_lies_in_the_state_folder_and_is_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(here)
    assert settings(HOME="/home/ann").store_dir == "/home/ann/.local/state/remora"
    assert settings(HOME="/home/ann", XDG_STATE_HOME="/state").store_dir == "/state/remora"
    assert settings(HOME="/home/ann", XDG_STATE_HOME="relative").store_dir == "/home/ann/.local/state/remora"
    assert settings(HOME="/home/ann", REMORA_STORE_DIR="~/t").store_dir == "/home/ann/t"
    assert settings(REMORA_STORE_DIR="t").store_dir == str(here / "t")


def test_settings_stay_as_they_were_loaded() -> None:
    chosen: Any = settings()
    with pytest.raises(AttributeError, match=r"Settings\.enabled is fixed"):
        chosen.enabled = False
    with pytest.raises(AttributeError, match=r"Otlp\.endpoint is fixed"):
        chosen.traces_otlp.endpoint = "http://elsewhere"


def test_every_variable_is_shown_with_its_value_and_where_that_comes_from() -> None:
    rows = {
        row.name: row
        for row in describe(
            {
                "HOME": "/home/ann",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "https://me:sesame@gate/?key=sesame",
                "OTEL_EXPORTER_OTLP_HEADERS": "authorization=sesame",
                "OTEL_BSP_EXPORT_TIMEOUT": "0",
                "OTEL_PROPAGATORS": "b3,baggage",
                "OTEL_RESOURCE_ATTRIBUTES": "a=1,b=2",
                "OTEL_SERVICE_NAME": "bad \udcff byte",
            }
        )
    }
    assert rows.keys() == {variable.name for variable in VARIABLES}
    shown = {name: (row.value, row.origin) for name, row in rows.items()}
    assert shown["OTEL_EXPORTER_OTLP_ENDPOINT"] == ("https://***@gate/?***", "environment")
    assert shown["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] == (
        "https://***@gate/v1/traces?***",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    )
    assert shown["OTEL_EXPORTER_OTLP_LOGS_HEADERS"] == ("authorization=***", "OTEL_EXPORTER_OTLP_HEADERS")
    assert shown["OTEL_BSP_EXPORT_TIMEOUT"] == ("0", "environment")
    assert shown["OTEL_BSP_SCHEDULE_DELAY"] == ("5000", "default")
    assert shown["OTEL_PROPAGATORS"] == ("b3,baggage", "environment")
    assert shown["OTEL_RESOURCE_ATTRIBUTES"] == ("a=1,b=2", "environment")
    assert shown["OTEL_SERVICE_NAME"] == ("bad \\udcff byte", "environment")
    assert shown["REMORA_ENABLED"] == ("true", "default")
    assert shown["REMORA_STORE_DIR"] == ("/home/ann/.local/state/remora", "default")
    assert all(row.doc.endswith(".") for row in rows.values())


def test_a_shown_default_is_what_a_user_would_write_to_get_it() -> None:
    written = {variable.name: variable.default for variable in VARIABLES if variable.default}
    defaults, again = load({}), load(written)
    assert again.problems == ()
    assert again.values == defaults.values


def test_every_value_has_the_type_its_setting_promises() -> None:
    kinds = {"bool": bool, "int": int, "float": float, "str": str, "dict": dict, "tuple": tuple, "None": type(None)}
    chosen = settings()
    for owner in (chosen, chosen.traces_otlp):
        for name, promise in type(owner).__annotations__.items():
            named = {node.id for node in ast.walk(ast.parse(promise)) if isinstance(node, ast.Name)}
            allowed = tuple(kinds[kind] for kind in named if kind in kinds)
            allowed += (type(None),) if "None" in promise else ()
            if allowed:
                assert isinstance(getattr(owner, name), allowed), name
