"""Every environment variable once: its name, default, reader and one line on what it does."""

from __future__ import annotations

from remora.settings import readers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNALS = ("traces", "metrics", "logs")
GROUPS = ("excluded_expressions", "captured_headers")  # settings that are dicts, each variable one entry

HTTP_SERVERS = ("AIOHTTP_SERVER", "DJANGO", "FALCON", "FASTAPI", "FLASK", "PYRAMID", "STARLETTE", "TORNADO")
HTTP_CLIENTS = ("AIOHTTP_CLIENT", "HTTPX", "REQUESTS", "URLLIB", "URLLIB3")
_HEADERS = {
    "SERVER_REQUEST": "requests that are served",
    "SERVER_RESPONSE": "their responses",
    "CLIENT_REQUEST": "requests that are sent",
    "CLIENT_RESPONSE": "their responses",
}


class Variable:
    """One environment variable.

    ``default`` is what a user would write to get the default; ``attribute`` is the path in Settings it fills, empty for
    one that only stands in for its specific variants, which name it in ``falls_back_to``. A ``secret`` is never shown.
    """

    __slots__ = ("attribute", "default", "doc", "falls_back_to", "name", "parser", "secret")

    def __init__(
        self,
        name: str,
        attribute: str,
        parser: Callable[[str], object],
        default: str,
        doc: str,
        falls_back_to: str = "",
        secret: bool = False,
    ) -> None:
        self.name = name
        self.attribute = attribute
        self.parser = parser
        self.default = default
        self.doc = doc
        self.falls_back_to = falls_back_to
        self.secret = secret

    def __repr__(self) -> str:
        return f"Variable({self.name})"


def _exporter(signal: str) -> Variable:
    return Variable(
        f"OTEL_{signal.upper()}_EXPORTER",
        f"{signal}_exporter",
        readers.exporters,
        "otlp",
        "Accepted and not read: Remora sends no logs."
        if signal == "logs"
        else f"Where {signal} go: otlp, store (the local store, whatever collector there is), console, or none.",
    )


def _batching(group: str, attribute: str, items: str, delay_ms: str) -> Iterator[Variable]:
    for suffix, parser, default, doc in (
        ("SCHEDULE_DELAY", readers.duration_s, delay_ms, f"Longest time {items} wait for their batch to fill, in ms."),
        ("EXPORT_TIMEOUT", readers.timeout_s, "30000", "Longest time to deliver a batch, in ms; 0 is no limit."),
        ("MAX_QUEUE_SIZE", readers.count(1), "65536", f"Most {items} waiting; more are dropped and counted."),
        ("MAX_EXPORT_BATCH_SIZE", readers.count(1), "8192", f"Most {items} in one batch."),
    ):
        unit = "_s" if suffix in ("SCHEDULE_DELAY", "EXPORT_TIMEOUT") else ""
        yield Variable(f"{group}_{suffix}", f"{attribute}_{suffix.lower()}{unit}", parser, default, doc)


def _otlp(signal: str) -> Iterator[Variable]:
    general, infix = "OTEL_EXPORTER_OTLP_", f"{signal.upper()}_" if signal else ""
    subject = f"{signal.capitalize()}: " if signal else ""
    for suffix, attribute, parser, default, doc in (
        ("PROTOCOL", "protocol", readers.choice("http/protobuf", "grpc"), "http/protobuf", "http/protobuf or grpc"),
        ("ENDPOINT", "endpoint", readers.endpoint, "", _ENDPOINT_DOC if signal else _BASE_ENDPOINT_DOC),
        ("INSECURE", "insecure", readers.flag, "false", "No TLS, where a grpc endpoint has no http or https scheme"),
        ("HEADERS", "headers", readers.headers, "", "Headers sent with every request, name=value,... percent-encoded"),
        ("TIMEOUT", "timeout_s", readers.timeout_s, "10000", "Longest time for one export, in ms; 0 is no limit"),
        ("COMPRESSION", "compression", _COMPRESSION, "zstd", "zstd, gzip, deflate or none"),
        ("CERTIFICATE", "certificate", readers.text, "", "PEM file of the certificates to trust"),
        ("CLIENT_KEY", "client_key", readers.text, "", "PEM file of the client's private key (mTLS)"),
        ("CLIENT_CERTIFICATE", "client_certificate", readers.text, "", "PEM file of the client's certificate (mTLS)"),
    ):
        yield Variable(
            f"{general}{infix}{suffix}",
            f"{signal}_otlp.{attribute}" if signal else "",
            parser,
            default,
            f"{subject}{doc}.",
            f"{general}{suffix}" if signal else "",
            secret=suffix == "HEADERS",
        )


_COMPRESSION = readers.choice("zstd", "gzip", "deflate", "none")
_BASE_ENDPOINT_DOC = "Base URL of the collector; http/protobuf appends /v1/traces and so on"
_ENDPOINT_DOC = "Full URL of the collector, used as it is"

VARIABLES: tuple[Variable, ...] = (
    Variable("REMORA_ENABLED", "enabled", readers.switch, "true", "false switches everything off."),
    Variable("OTEL_SDK_DISABLED", "enabled", readers.flag, "false", "true switches everything off."),
    Variable("OTEL_SERVICE_NAME", "service_name", readers.text, "", "Name of the service; guessed when not set."),
    Variable(
        "OTEL_RESOURCE_ATTRIBUTES",
        "resource_attributes",
        readers.pairs,
        "",
        "Attributes of the service, key=value,... percent-encoded.",
    ),
    Variable(
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",
        "resource_detectors",
        readers.names,
        "",
        "Resource detectors of installed packages to ask as well.",
    ),
    Variable(
        "OTEL_LOG_LEVEL", "log_level", readers.level, "info", "Least severe of our own messages to show on stderr."
    ),
    Variable(
        "OTEL_PROPAGATORS",
        "propagators",
        readers.names,
        "tracecontext,baggage",
        "How traces travel between services: tracecontext, baggage, b3, b3multi, jaeger, xray, ottrace, none.",
    ),
    Variable(
        "OTEL_TRACES_SAMPLER",
        "traces_sampler",
        readers.lowered,
        "parentbased_always_on",
        "Which traces to keep: always_on, always_off, traceidratio, these as parentbased_..., or an installed sampler.",
    ),
    Variable(
        "OTEL_TRACES_SAMPLER_ARG",
        "traces_sampler_arg",
        readers.text,
        "",
        "Argument of the sampler, a ratio from 0 to 1.",
    ),
    Variable("OTEL_PYTHON_ID_GENERATOR", "id_generator", readers.lowered, "random", "Who makes trace and span ids."),
    *(_exporter(signal) for signal in SIGNALS),
    Variable(
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "attribute_value_length_limit",
        readers.limit,
        "",
        "Longest text value of any attribute, in characters.",
    ),
    Variable(
        "OTEL_ATTRIBUTE_COUNT_LIMIT", "attribute_count_limit", readers.limit, "128", "Most attributes of anything."
    ),
    Variable(
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "span_attribute_value_length_limit",
        readers.limit,
        "",
        "Longest text value of a span's attribute, in characters.",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    ),
    Variable(
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "span_attribute_count_limit",
        readers.limit,
        "128",
        "Most attributes of a span.",
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
    ),
    Variable("OTEL_SPAN_EVENT_COUNT_LIMIT", "span_event_count_limit", readers.limit, "128", "Most events of a span."),
    Variable("OTEL_SPAN_LINK_COUNT_LIMIT", "span_link_count_limit", readers.limit, "128", "Most links of a span."),
    Variable(
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
        "event_attribute_count_limit",
        readers.limit,
        "128",
        "Most attributes of a span's event.",
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
    ),
    Variable(
        "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
        "link_attribute_count_limit",
        readers.limit,
        "128",
        "Most attributes of a span's link.",
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
    ),
    *_batching("OTEL_BSP", "bsp", "spans", "5000"),
    *_batching("OTEL_BLRP", "blrp", "log records", "1000"),
    Variable(
        "OTEL_METRIC_EXPORT_INTERVAL",
        "metric_export_interval_s",
        readers.interval_s,
        "60000",
        "Time between two deliveries of metrics, in ms.",
    ),
    Variable(
        "OTEL_METRIC_EXPORT_TIMEOUT",
        "metric_export_timeout_s",
        readers.timeout_s,
        "30000",
        "Longest time to deliver metrics, in ms; 0 is no limit.",
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "metrics_temporality",
        readers.choice("cumulative", "delta", "lowmemory"),
        "cumulative",
        "Whether metrics count from the start or from the last delivery: cumulative, delta or lowmemory.",
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "",
        readers.histogram_aggregation,
        "explicit_bucket_histogram",
        "How histograms are sent; explicit_bucket_histogram is the only one.",
    ),
    Variable(
        "OTEL_METRICS_EXEMPLAR_FILTER",
        "metrics_exemplar_filter",
        readers.choice("trace_based", "always_on", "always_off"),
        "trace_based",
        "Which measurements leave an exemplar: trace_based (those in a sampled trace), always_on or always_off.",
    ),
    Variable(
        "REMORA_QUEUE_MAX_BYTES",
        "queue_max_bytes",
        readers.count(1),
        "16777216",
        "Most memory for waiting telemetry, in bytes.",
    ),
    *_otlp(""),
    *(variable for signal in SIGNALS for variable in _otlp(signal)),
    Variable(
        "REMORA_INSTRUMENTATIONS",
        "instrumentations",
        readers.names,
        "*",
        "Which instrumentations may be armed, names with * and ?.",
    ),
    Variable(
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        "disabled_instrumentations",
        readers.names,
        "",
        "Which instrumentations stay off, names with * and ?; wins over the allow list.",
    ),
    Variable(
        "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS",
        "http_known_methods",
        readers.names,
        "",
        "HTTP methods that are told by name, instead of the conventions' list; case-sensitive.",
    ),
    Variable(
        "REMORA_EXCLUDED_URLS",
        "excluded_urls",
        readers.names,
        "",
        "Requests to leave out with all that is below them, with * and ?: a path (/health*), a host, host/path or URL.",
    ),
    Variable(
        "OTEL_PYTHON_EXCLUDED_URLS",
        "",
        readers.expressions,
        "",
        "The same by regular expressions, searched anywhere in the URL.",
    ),
    *(
        Variable(
            f"OTEL_PYTHON_{library}_EXCLUDED_URLS",
            f"excluded_expressions.{library.lower()}",
            readers.expressions,
            "",
            "The same for one library, instead of the general list.",
            "OTEL_PYTHON_EXCLUDED_URLS",
        )
        for library in (*HTTP_SERVERS, *HTTP_CLIENTS)
    ),
    *(
        Variable(
            f"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_{side}",
            f"captured_headers.{side.lower()}",
            readers.expressions,
            "",
            f"Headers to capture of {what}: names or regular expressions.",
        )
        for side, what in _HEADERS.items()
    ),
    Variable(
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS",
        "sanitized_headers",
        readers.expressions,
        "",
        "Captured headers whose values are redacted, beside Authorization, Cookie and the like.",
    ),
    Variable(
        "REMORA_OPTIONAL_ATTRIBUTES",
        "optional_attributes",
        readers.names,
        "",
        "Opt-in attributes to add, names with * and ?, such as http.*.body.size.",
    ),
    Variable(
        "REMORA_SQLCOMMENTER",
        "sqlcommenter",
        readers.flag,
        "false",
        "Statements take the trace context along, in a comment at their end.",
    ),
    Variable(
        "REMORA_URL_TEMPLATES",
        "url_templates",
        readers.names,
        "",
        "Templates of the paths that are requested from others, such as api.example.com/users/{id}.",
    ),
    Variable(
        "REMORA_TRUST_FORWARDED",
        "trust_forwarded",
        readers.switch,
        "true",
        "Believe Forwarded, X-Forwarded-* and X-Real-IP.",
    ),
    Variable(
        "REMORA_MESSAGE_PARENT",
        "message_parent",
        readers.switch,
        "false",
        "A message's processing continues its producer's trace, instead of beginning one that is linked to it.",
    ),
    Variable(
        "REMORA_PROPAGATE_TO",
        "propagate_to",
        readers.names,
        "*",
        "Hosts that trace context and baggage may travel to, with * and ?; !host takes one out again.",
    ),
    Variable(
        "REMORA_SENSITIVE_QUERY_PARAMETERS",
        "sensitive_query_parameters",
        readers.names,
        "",
        "Further URL query parameters whose values are redacted.",
    ),
    Variable(
        "REMORA_QUARANTINE_AFTER",
        "quarantine_after",
        readers.count(1),
        "10",
        "Faults after which an instrumentation is taken out.",
    ),
    Variable(
        "REMORA_PROPAGATE_TO_CHILDREN",
        "propagate_to_children",
        readers.flag,
        "true",
        "Child processes join the trace of their caller.",
    ),
    Variable(
        "REMORA_EXIT_TIMEOUT",
        "exit_timeout_s",
        readers.duration_s,
        "2000",
        "Longest delay of the program's exit, in ms.",
    ),
    Variable(
        "REMORA_STORE_DIR",
        "store_dir",
        readers.text,
        "",
        "Folder of the local store; remora below $XDG_STATE_HOME or ~/.local/state.",
    ),
    Variable(
        "REMORA_STORE_MAX_BYTES",
        "store_max_bytes",
        readers.count(0),
        "67108864",
        "Largest size of the local store, in bytes.",
    ),
)

# Of the installation, and what launch and doctor tell processes below them: not for users, and not unknown either.
NOT_SETTINGS = (
    "REMORA_LAUNCHED_BY",
    "REMORA_NO_EXT",
    "REMORA_PURE_PYTHON",
    "REMORA_REQUIRE_EXT",
    "REMORA_STARTING",
    "REMORA_STATUS_FILE",
    "REMORA_STOOD_DOWN",
)
