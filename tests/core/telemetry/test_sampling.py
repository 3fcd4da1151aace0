"""Which spans are kept: the standard samplers, and samplers of the program's own."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import sampling as sdk_sampling
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from remora import settings
from remora.telemetry import sampling


def sampled(tracing, parent_flags=None, count=1):
    context = None
    if parent_flags is not None:
        parent = SpanContext(5 << 64 | 7, 9, True, TraceFlags(parent_flags))
        context = trace.set_span_in_context(NonRecordingSpan(parent))
    return sum(
        bool(tracing.tracer.start_span("span", context).get_span_context().trace_flags.sampled) for _ in range(count)
    )


def use(tracing, sampler, argument=None):
    environ = {"OTEL_TRACES_SAMPLER": sampler}
    if argument is not None:
        environ["OTEL_TRACES_SAMPLER_ARG"] = argument
    sampling.apply(settings.load(environ).settings, tracing.engine)


@pytest.mark.parametrize(
    ("sampler", "root", "of_sampled", "of_unsampled"),
    [
        ("always_on", 1, 1, 1),
        ("always_off", 0, 0, 0),
        ("parentbased_always_on", 1, 1, 0),
        ("parentbased_always_off", 0, 1, 0),
    ],
)
def test_the_standard_samplers(tracing, sampler, root, of_sampled, of_unsampled):
    use(tracing, sampler)
    assert (sampled(tracing), sampled(tracing, 1), sampled(tracing, 0)) == (root, of_sampled, of_unsampled)


@pytest.mark.parametrize("sampler", ["traceidratio", "parentbased_traceidratio"])
def test_a_ratio_keeps_about_that_share_of_traces(tracing, sampler):
    use(tracing, sampler, "0.25")
    assert 2000 < sampled(tracing, count=10_000) < 3000


def test_a_ratio_decides_like_the_sdk_by_the_trace_id(tracing):
    use(tracing, "traceidratio", "0.3")
    theirs = sdk_sampling.TraceIdRatioBased(0.3)
    for _ in range(500):
        context = tracing.tracer.start_span("span").get_span_context()
        assert context.trace_flags.sampled == theirs.should_sample(None, context.trace_id, "span").decision.is_sampled()


@pytest.mark.parametrize(("ratio", "kept"), [("0", 0), ("1", 100)])
def test_the_ends_of_the_ratio_are_exact(tracing, ratio, kept):
    use(tracing, "traceidratio", ratio)
    assert sampled(tracing, count=100) == kept


def test_a_parent_based_ratio_follows_its_parent(tracing):
    use(tracing, "parentbased_traceidratio", "0")
    assert sampled(tracing, 1, 100) == 100


def test_an_unsampled_span_carries_its_context_but_records_nothing(tracing):
    use(tracing, "always_off")
    with tracing.tracer.start_as_current_span("span", attributes={"a": 1}) as span:
        span.set_attribute("b", 2)
        with tracing.tracer.start_as_current_span("child") as child:
            pass
    assert span.get_span_context().is_valid
    assert not span.is_recording()
    assert child.get_span_context().trace_id == span.get_span_context().trace_id
    assert tracing.ended == []
    assert tracing.engine.started == 0


class Picky(sdk_sampling.Sampler):
    def should_sample(self, parent_context, trace_id, name, kind=None, attributes=None, links=None, trace_state=None):
        self.saw = (trace.get_current_span(parent_context), name, dict(attributes or {}), links)
        decision = sdk_sampling.Decision.RECORD_AND_SAMPLE if name == "keep" else sdk_sampling.Decision.DROP
        return sdk_sampling.SamplingResult(decision, {"picked": True, **(attributes or {})})

    def get_description(self):
        return "Picky"


def test_a_sampler_of_the_programs_own_sees_the_start_attributes_and_decides(tracing):
    sampler = Picky()
    sampling.use(tracing.engine, sampler)
    span = tracing.tracer.start_span("keep", attributes={"a": 1})
    assert sampler.saw[1:3] == ("keep", {"a": 1})
    assert span.attribute_values == {"picked": True, "a": 1}
    assert not tracing.tracer.start_span("drop").is_recording()


def test_a_sampler_that_raises_keeps_the_span_and_is_reported(tracing, capfd):
    class Broken(Picky):
        def should_sample(self, *args, **kwargs):
            raise RuntimeError("no")

    sampling.use(tracing.engine, Broken())
    assert tracing.tracer.start_span("span").is_recording()
    assert "Broken failed" in capfd.readouterr().err


def test_an_unknown_sampler_is_named_and_everything_is_kept(tracing, capfd):
    use(tracing, "nobody_offers_this")
    assert sampled(tracing) == 1
    assert "nobody_offers_this" in capfd.readouterr().err
