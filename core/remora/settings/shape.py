"""What the rest of the house reads: settings with their types, once and for all."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class Frozen:
    """Attributes are given at birth, by name, and stay."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, **values: Any) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, values.pop(name))
        if values:
            raise TypeError(f"{type(self).__name__} has no {', '.join(values)}")

    def __setattr__(self, name: str, _: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} is fixed")

    __delattr__ = __setattr__  # type: ignore[assignment]


class Otlp(Frozen):
    """How one signal is exported.

    ``endpoint`` is the full URL (or gRPC target); ``configured`` tells whether the user named one; ``insecure`` whether
    the connection goes without TLS, as the endpoint's scheme or, without a scheme, the variable says.
    """

    endpoint: str
    configured: bool
    protocol: str
    headers: dict[str, str]
    timeout_s: float
    compression: str
    certificate: str | None
    client_key: str | None
    client_certificate: str | None
    insecure: bool

    __slots__ = tuple(__annotations__)


class Settings(Frozen):
    """Every setting; a limit of None is no limit.

    ``excluded_expressions`` are kept by library (``flask``, ``requests``), ``captured_headers`` by side and direction
    (``server_request``, ``client_response``).
    """

    enabled: bool
    service_name: str | None
    resource_attributes: dict[str, str]
    resource_detectors: tuple[str, ...]
    log_level: str
    propagators: tuple[str, ...]
    traces_sampler: str
    traces_sampler_arg: str | None
    id_generator: str
    traces_exporter: tuple[str, ...]
    metrics_exporter: tuple[str, ...]
    logs_exporter: tuple[str, ...]
    attribute_value_length_limit: int | None
    attribute_count_limit: int | None
    span_attribute_value_length_limit: int | None
    span_attribute_count_limit: int | None
    span_event_count_limit: int | None
    span_link_count_limit: int | None
    event_attribute_count_limit: int | None
    link_attribute_count_limit: int | None
    bsp_schedule_delay_s: float
    bsp_export_timeout_s: float
    bsp_max_queue_size: int
    bsp_max_export_batch_size: int
    blrp_schedule_delay_s: float
    blrp_export_timeout_s: float
    blrp_max_queue_size: int
    blrp_max_export_batch_size: int
    metric_export_interval_s: float
    metric_export_timeout_s: float
    metrics_temporality: str
    metrics_exemplar_filter: str
    queue_max_bytes: int
    traces_otlp: Otlp
    metrics_otlp: Otlp
    logs_otlp: Otlp
    instrumentations: tuple[str, ...]
    disabled_instrumentations: tuple[str, ...]
    http_known_methods: tuple[str, ...]
    excluded_urls: tuple[str, ...]
    excluded_expressions: dict[str, tuple[str, ...]]
    captured_headers: dict[str, tuple[str, ...]]
    sanitized_headers: tuple[str, ...]
    optional_attributes: tuple[str, ...]
    sqlcommenter: bool
    url_templates: tuple[str, ...]
    trust_forwarded: bool
    message_parent: bool
    propagate_to: tuple[str, ...]
    sensitive_query_parameters: tuple[str, ...]
    quarantine_after: int
    propagate_to_children: bool
    exit_timeout_s: float
    store_dir: str
    store_max_bytes: int

    __slots__ = tuple(__annotations__)
