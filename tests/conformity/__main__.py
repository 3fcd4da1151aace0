"""`python -m tests.conformity [LIBRARY ...]`: how much of the conventions each HTTP library tells by default.

A LIBRARY is a name or a part of one.
"""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conformity.quiet import quiet
from conformity.subjects import found
from conformity.table import print_table
from conformity.taking import take


def main(words: list[str]) -> int:
    """Exit code 1 if a library is below the target."""
    warnings.simplefilter("ignore")  # of libraries, about themselves
    logging.disable(logging.CRITICAL)
    wanted = [word.lower().replace("-", "").replace(".", "").replace("_", "") for word in words]
    with quiet():
        here = found()
        names = {subject.library.lower(): subject for subject in here.subjects}
        unknown = [word for word, want in zip(words, wanted, strict=True) if not any(want in name for name in names)]
        subjects = [one for name, one in names.items() if not wanted or any(want in name for want in wanted)]
        scores = [] if unknown else [take(subject) for subject in subjects]
    if unknown:
        every = ", ".join(subject.library for subject in here.subjects)
        print(f"no library here is called {unknown[0]}: there are {every}", file=sys.stderr)
        return 2
    return print_table(scores, here.absent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
