"""`python -m tests.versions`: does what a manifest claims work, at the oldest version or the latest?

Each row's tests run in a virtual environment of their own, one after the other; `--help` tells the choices.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from versions.claims import claims
from versions.trying import attempt


def main(words: list[str]) -> int:
    """Exit code 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.versions", description=__doc__)
    parser.add_argument("--family", default="http")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--oldest", dest="latest", action="store_false", help="the oldest version claimed (the default)")
    end.add_argument("--latest", dest="latest", action="store_true", help="the latest release that is claimed")
    parser.set_defaults(latest=False)
    parser.add_argument("--keep", type=Path, help="where the environments stay; without it they are thrown away")
    parser.add_argument("--python", default=sys.executable, help="the interpreter: old releases may need an old one")
    parser.add_argument("name", nargs="*", help="rows of the manifest; all of them")
    options = parser.parse_args(words)
    asked = claims(options.family, options.name, latest=options.latest)
    with tempfile.TemporaryDirectory(prefix="remora-versions-") as folder:
        outcomes = [attempt(claim, options.keep or Path(folder), options.python) for claim in asked]
    print()
    for claim, outcome in zip(asked, outcomes, strict=True):
        print(f"{claim.name:20} {', '.join(claim.requirements):40} {outcome}")
    return int(not asked or not all(outcome.held for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
