"""`python -m tests.conformity [LIBRARY ...]`: how much of the conventions each library tells by default.

A LIBRARY is a name or a part of one.
"""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conformity.database_counting import count_database
from conformity.database_ways import WAYS, absent
from conformity.quiet import quiet
from conformity.subjects import found
from conformity.table import print_table
from conformity.taking import take


def main(words: list[str]) -> int:
    """Exit code 1 if a library is below the target."""
    warnings.simplefilter("ignore")  # of libraries, about themselves
    logging.disable(logging.CRITICAL)
    wanted = [_plain(word) for word in words]
    with quiet():
        here = found()
        names = {subject.library.lower(): subject for subject in here.subjects}
        lacking = {way.library: reason for way in WAYS if (reason := absent(way))}
        ways = {_plain(way.library): way for way in WAYS if way.library not in lacking}
        known = [*names, *ways]
        unknown = [word for word, want in zip(words, wanted, strict=True) if not any(want in name for name in known)]
        subjects = [one for name, one in names.items() if not wanted or any(want in name for want in wanted)]
        asked = [one for name, one in ways.items() if not wanted or any(want in name for want in wanted)]
        scores = [] if unknown else [*map(take, subjects), *map(count_database, asked)]
    if unknown:
        every = ", ".join([*(subject.library for subject in here.subjects), *(way.library for way in WAYS)])
        print(f"no library here is called {unknown[0]}: there are {every}", file=sys.stderr)
        return 2
    return print_table(scores, {**here.absent, **lacking})


def _plain(word: str) -> str:
    return word.lower().replace("-", "").replace(".", "").replace("_", "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
