"""A trace as lines: header, tree, bars on a common time scale, and below a span what needs saying about it."""

from __future__ import annotations

import textwrap
from itertools import cycle

from rich.cells import cell_len
from rich.text import Text

from remora.cli import amounts
from remora.cli.terminal import clean
from remora.cli.traces import labels
from remora.cli.traces.folding import Folded, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from remora.cli.terminal import Terminal
    from remora.cli.traces.tree import Node, Trace

_SERVICE_STYLES: Final = ("cyan", "magenta", "green", "yellow", "blue")
_KIND_STYLES: Final = {"server": "bold", "consumer": "bold", "internal": "dim", "span": "dim"}
_DURATION_COLUMNS: Final = 9
_MOST_LINES: Final = 400
_MARGIN: Final = "  "


def draw(trace: Trace, terminal: Terminal, *, whole: bool = False) -> None:
    """Print the trace; ``whole`` leaves nothing out and tells every attribute."""
    _Drawing(trace, terminal, whole).draw()


class _Drawing:
    def __init__(self, trace: Trace, terminal: Terminal, whole: bool) -> None:
        self.trace = trace
        self.terminal = terminal
        self.whole = whole
        self.bar_columns = _bar_columns(terminal.width)
        self.left_columns = terminal.width - len(_MARGIN) - self.bar_columns - _DURATION_COLUMNS - 2
        self.styles = dict(zip(trace.services, cycle(_SERVICE_STYLES), strict=False))

    def draw(self) -> None:
        self._header()
        left = _MOST_LINES if not self.whole else len(self.trace.nodes)
        for top in self.trace.roots:
            left = self._tree(top, left)
        callers: dict[str, list[Node]] = {}
        for orphan in self.trace.orphans:
            callers.setdefault(orphan.span.parent_span_id, []).append(orphan)
        for orphans in callers.values():
            if left > 0:
                self._note(orphans[0])
            for top in orphans:
                left = self._tree(top, left)
        if left <= 0 and not self.whole:
            shown = f"the rest of {amounts.count(len(self.trace.nodes), 'span')}: remora show --trace"
            self.terminal.line(_MARGIN, (f"… {shown} {self.trace.trace_id}", "dim"))

    def _header(self) -> None:
        trace, head = self.trace, self.trace.head
        left = Text.assemble(("● ", "red" if trace.failed else "green"), (clean(head.service), "bold"), "  ")
        left.append(_label(head, "bold"))
        counts = [amounts.count(len(trace.nodes), "span"), amounts.duration(trace.duration_ns)]
        if len(trace.services) > 1:
            counts.insert(0, f"{len(trace.services)} services")
        right = " · ".join(counts)
        left.truncate(max(10, self.terminal.width - len(right) - 2), overflow="ellipsis")
        self.terminal.line(left, " " * (self.terminal.width - left.cell_len - cell_len(right)), (right, "bold"))
        self.terminal.line(_MARGIN, (f"{amounts.moment(trace.start_ns)} · trace {trace.trace_id}", "dim"))

    def _note(self, orphan: Node) -> None:
        parent = orphan.span.parent_span_id
        if orphan.called_from_elsewhere:
            text = f"called by span {parent} of a service that is not in this store"
        else:
            text = f"parent {parent} is not here: not ended yet, dropped, sent elsewhere"
        self.terminal.line(_MARGIN, (f"→ {text}", "dim italic"))

    def _tree(self, top: Node, left: int) -> int:
        """Draw it in at most ``left`` lines of spans; returns how many are left."""
        waiting: list[tuple[Node | Folded, str, str, str]] = [(top, "", "", "")]
        while waiting and left > 0:
            item, service, prefix, below = waiting.pop()
            left -= 1
            if isinstance(item, Folded):
                self._folded(item, prefix)
                continue
            self._span(item, service, prefix)
            items = item.children if self.whole else fold(item.children)
            self._details(item, below + ("│  " if items else "   "))
            for position, child in enumerate(reversed(items)):
                last = position == 0
                waiting.append(
                    (child, item.service, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))
                )
        return 0 if waiting else left

    def _span(self, node: Node, caller: str, prefix: str) -> None:
        left = Text.assemble((self._fitting(prefix), "dim"))
        if node.failed:
            left.append("✗ ", "bold red")
        if node.service != caller and len(self.styles) > 1:
            left.append(f"[{clean(node.service)}] ", self.styles[node.service])
        kind = labels.kind(node)
        left.append(f"{kind} ", _KIND_STYLES.get(kind, self.styles[node.service]))
        left.append(_label(node, "red" if node.failed else ""))
        style = "red" if node.failed else self.styles[node.service]
        self._row(left, node.span.start_time_unix_nano, node.duration_ns, style)

    def _folded(self, folded: Folded, prefix: str) -> None:
        more = f"+ {len(folded.nodes):,} more like it, {amounts.duration(folded.busy_ns)} together"
        left = Text.assemble((self._fitting(prefix), "dim"), (more, "dim italic"))
        self._row(left, folded.start_ns, folded.end_ns - folded.start_ns, "dim")

    def _row(self, left: Text, start_ns: int, duration_ns: int, style: str) -> None:
        left.truncate(self.left_columns, overflow="ellipsis")
        bar = self._bar(start_ns, duration_ns)
        gap = " " * (self.left_columns - left.cell_len + 2)
        self.terminal.line(_MARGIN, left, gap, (bar, style), f"{amounts.duration(duration_ns):>{_DURATION_COLUMNS}}")

    def _details(self, node: Node, prefix: str) -> None:
        prefix = self._fitting(prefix)
        query = labels.query(node)
        if query:
            self._detail(prefix, query, "dim")
        for failure in labels.failures(node):
            columns = max(20, self.terminal.width - len(_MARGIN) - len(prefix))
            for line in textwrap.wrap(failure, columns, max_lines=None if self.whole else 3, placeholder=" …"):
                self._detail(prefix, line, "red")
        if self.whole:
            for line in labels.stack(node):
                self._detail(prefix, f"  {line}", "dim red")
            for key, value in labels.rest(node):
                self._detail(prefix, Text.assemble((f"{key} ", "dim"), value))

    def _detail(self, prefix: str, text: str | Text, style: str = "") -> None:
        body = Text(text, style) if isinstance(text, str) else text
        self.terminal.line(_MARGIN, (prefix, "dim"), body, cut=not self.whole)

    def _bar(self, start_ns: int, duration_ns: int) -> str:
        whole_ns = self.trace.duration_ns
        if not self.bar_columns:
            return ""
        if whole_ns <= 0:
            return "━" * self.bar_columns
        offset = (start_ns - self.trace.start_ns) / whole_ns
        first = min(int(offset * self.bar_columns), self.bar_columns - 1)
        end = max(first + 1, round((offset + max(0, duration_ns) / whole_ns) * self.bar_columns))
        end = min(end, self.bar_columns)
        return f"{' ' * first}{'━' * (end - first)}{' ' * (self.bar_columns - end)}"

    def _fitting(self, prefix: str) -> str:
        """The branches; of a very deep tree only the innermost, so that the names stay readable."""
        most = max(12, self.left_columns // 2 // 3 * 3)
        return prefix if len(prefix) <= most else "… " + prefix[-most + 2 :]


def _label(node: Node, style: str = "") -> Text:
    label = Text(labels.name(node), style)
    code = labels.status_code(node)
    if code:
        label.append(f" {code}", {"2": "green", "3": "green", "4": "yellow", "5": "red"}.get(code[:1], ""))
    return label


def _bar_columns(width: int) -> int:
    if width < 60:
        return 0
    return 16 if width < 100 else 28 if width < 140 else 40
