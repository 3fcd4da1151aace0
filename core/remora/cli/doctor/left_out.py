"""What a process leaves out on purpose: requests by their URLs, and traces that their callers do not keep."""

from __future__ import annotations

from remora.cli import amounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEEPS_ALL = "OTEL_TRACES_SAMPLER=always_on keeps"


def reasons(status: dict[str, Any]) -> list[str]:
    """One line for each reason in a process's report, with what mends it."""
    return [text for text in (_excluded(status), _of_unsampled_callers(status), _of_unsampled_parent(status)) if text]


def inherited_unsampled(sampler: str) -> str:
    """What a TRACEPARENT in the environment means whose trace is not sampled; empty where ``sampler`` does not care."""
    if not _follows(sampler):
        return ""
    return (
        "TRACEPARENT ends in -00: the caller does not keep this trace, and so it is not kept here; unset it, or "
        f"{_KEEPS_ALL} it all the same"
    )


def _excluded(status: dict[str, Any]) -> str:
    by = " and ".join(str(name) for name in status.get("excluding") or ())
    counts = {str(name): int(count) for name, count in (status.get("left_out") or {}).items() if count}
    if not by or not counts:
        return ""
    each = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    total = sum(counts.values())
    return f"{amounts.count(total, 'request')} left out by {by} ({each}), and all that was done for {_it(total)}"


def _of_unsampled_callers(status: dict[str, Any]) -> str:
    count = int((status.get("unsampled") or {}).get("requests") or 0)
    if not count or not _follows(_sampler(status)):
        return ""
    return (
        f"{amounts.count(count, 'request')} of callers that do not keep their traces (not sampled, as in a traceparent "
        f"that ends in -00): what was done for {_it(count)} is not kept here either; {_KEEPS_ALL} {_it(count)}"
    )


def _of_unsampled_parent(status: dict[str, Any]) -> str:
    return inherited_unsampled(_sampler(status)) if (status.get("unsampled") or {}).get("process") else ""


def _sampler(status: dict[str, Any]) -> str:
    return str((status.get("sampler") or {}).get("name") or "")


def _follows(sampler: str) -> bool:
    return sampler.startswith("parentbased_")


def _it(count: int) -> str:
    return "it" if count == 1 else "them"
