"""`python -m tests.benchmarks`: what there is to measure."""

from __future__ import annotations

import ast
from pathlib import Path

COMMANDS = ("spans", "metrics", "requests_overhead", "queries", "sql", "startup", "stall")


def main() -> None:
    folder = Path(__file__).parent
    print(
        "Each prints ours beside its peers, interleaved in one run. Options: --rounds --quick --json --peers --only\n"
    )
    for command in COMMANDS:
        words = ast.get_docstring(ast.parse((folder / f"{command}.py").read_text())) or ""
        print(f"  python -m tests.benchmarks.{command:18} {words.splitlines()[0]}")


if __name__ == "__main__":
    main()
