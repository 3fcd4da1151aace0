"""What a doctor says: findings in sections, and one verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

from remora.cli.terminal import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from remora.cli.terminal import Terminal

GOOD: Final = "good"
NOTE: Final = "note"  # worth knowing, nothing to mend
PROBLEM: Final = "problem"

_MARKS: Final = {GOOD: ("✓ ", "green"), NOTE: ("· ", "yellow"), PROBLEM: ("✗ ", "bold red")}
_TITLE_COLUMNS: Final = 12


@dataclass(slots=True)
class Finding:
    """One line. A problem's ``text`` ends with what mends it; an ``urgent`` one keeps all spans away."""

    mark: str
    text: str
    urgent: bool = False


@dataclass(slots=True)
class Section:
    """A subject, what is the case in a few words, and the findings about it."""

    title: str
    summary: str = ""
    findings: list[Finding] = field(default_factory=list)

    def good(self, text: str) -> None:
        self.findings.append(Finding(GOOD, text))

    def note(self, text: str) -> None:
        self.findings.append(Finding(NOTE, text))

    def problem(self, text: str, *, urgent: bool = False) -> None:
        self.findings.append(Finding(PROBLEM, text, urgent))


@dataclass(slots=True)
class Report:
    """``data`` is the JSON form, to which ok, verdict and problems are added. ``after`` is printed below everything."""

    data: dict[str, Any]
    sections: list[Section] = field(default_factory=list)

    def section(self, title: str, summary: str = "") -> Section:
        section = Section(title, summary)
        self.sections.append(section)
        return section

    @property
    def problems(self) -> list[str]:
        """What is to be mended, the most urgent first."""
        found = [each for section in self.sections for each in section.findings if each.mark == PROBLEM]
        return [each.text for each in sorted(found, key=lambda each: not each.urgent)]

    @property
    def verdict(self) -> str:
        """What to mend first, or "ok"."""
        return next(iter(self.problems), "ok")

    def as_dict(self) -> dict[str, Any]:
        return {**self.data, "ok": not self.problems, "verdict": self.verdict, "problems": self.problems}

    def print(self, terminal: Terminal) -> None:
        for section in self.sections:
            terminal.line((f"{section.title:<{_TITLE_COLUMNS}}", "bold cyan"), clean(section.summary), cut=False)
            for finding in section.findings:
                sign, style = _MARKS[finding.mark]
                terminal.hanging((f"  {sign}", style), clean(finding.text))
        terminal.line()
        count = len(self.problems)
        if not count:
            terminal.line(("✓ ok", "bold green"))
            return
        first = "mend this first" if count > 1 else "mend this"
        terminal.hanging((f"✗ {first}: ", "bold red"), clean(self.verdict))
