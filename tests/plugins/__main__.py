"""`python -m tests.plugins [FAMILY]`: which rules of the family's contracts each library passes, from a run of them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from plugins.rules import folder_of, passed


def main(words: list[str]) -> int:
    """Exit code 1 if a library breaks a rule, 2 if there is nothing to ask."""
    family = words[0] if words else "http"
    if not folder_of(family).is_dir():
        print(f"there is no family {family!r} in {folder_of('.').resolve()}")
        return 2
    kept = passed(family)
    for contract in kept.contracts():
        print(kept.table(contract))
    for file, reason in kept.absent.items():
        print(f"{'broken' if file in kept.broken else 'not here'}: {file}: {reason}")
    print(f"{kept.count('yes') + kept.count('own')} rules kept, {kept.count('NO')} broken, {kept.count('-')} skipped")
    return int(bool(kept.count("NO") or kept.broken)) if kept.outcomes else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
