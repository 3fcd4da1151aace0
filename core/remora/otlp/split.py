"""Cuts a request that is too large in two, for the receiver that says so; only the outer layers are looked at."""

from __future__ import annotations

from remora.otlp.attributes import sized
from remora.otlp.attributes import varint as encode_varint
from remora.otlp.wire import SIZED, expect, fields

# Request -> resources -> scopes -> items: the repeated field of each layer, the same in traces, metrics and logs.
_LAYERS = (1, 2, 2)


def count_spans(body: bytes) -> int:
    """How many spans an ExportTraceServiceRequest holds. DecodeError if it is none."""
    count = 0
    for resource in fields(body, 0, len(body)):
        if resource[0] == 1:
            for scope in fields(body, resource[2], expect(resource, SIZED)):
                if scope[0] == 2:
                    items = [item for item in fields(body, scope[2], expect(scope, SIZED)) if item[0] == 2]
                    count += len(items)
    return count


def split_request(body: bytes) -> tuple[tuple[bytes, int], tuple[bytes, int]] | None:
    """Two requests with the first and the second half of the spans, each with its span count.

    None when there are not two spans. DecodeError if it is no ExportTraceServiceRequest. Resources and scopes whose
    spans are cut apart stand in both halves; everything else keeps its order.
    """
    count = count_spans(body)
    if count < 2:
        return None
    cut = _Cut(body, count // 2)
    first, second, _ = cut.message(0, len(body), _LAYERS)
    return (first, count // 2), (second, count - count // 2)


class _Cut:
    """One pass over the body; ``left`` is how many items the first half still takes."""

    __slots__ = ("body", "left")

    def __init__(self, body: bytes, left: int) -> None:
        self.body = body
        self.left = left

    def message(self, start: int, end: int, layers: tuple[int, ...]) -> tuple[bytes, bytes, tuple[int, int]]:
        """Both halves of the message in ``body[start:end]``, and how many items each has."""
        first: list[bytes] = []
        second: list[bytes] = []
        before, total = self.left, 0
        at = start
        for field in fields(self.body, start, end):
            raw = self.body[at : field[4]]
            at = field[4]
            if field[0] != layers[0]:
                first.append(raw)
                second.append(raw)
            elif len(layers) == 1:
                total += 1
                (first if self.left else second).append(raw)
                self.left -= 1 if self.left else 0
            else:
                head, tail, (head_items, tail_items) = self.message(field[2], expect(field, SIZED), layers[1:])
                total += head_items + tail_items
                tag = encode_varint(field[0] << 3 | SIZED)
                if head_items and tail_items:
                    first.append(sized(tag, head))
                    second.append(sized(tag, tail))
                else:
                    (first if head_items or self.left else second).append(raw)
        head_total = before - self.left
        return b"".join(first), b"".join(second), (head_total, total - head_total)
