"""`python tests/hosts [LIBRARY ... | nightly]`: what Remora changes in these libraries' own tests.

`nightly` are those that take too long for every run; other words go to pytest.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hosts.comparing import compare
from hosts.preparing import prepare
from hosts.suites import BY_NAME, IN_EVERY_RUN, NIGHTLY


def main(words: list[str]) -> int:
    """Exit code 1 if anything differs, or could not be compared."""
    libraries = [word for word in words if word in BY_NAME] or [suite.name for suite in IN_EVERY_RUN]
    if "nightly" in words:
        libraries = [suite.name for suite in NIGHTLY]
    options = tuple(word for word in words if word not in BY_NAME and word != "nightly")
    differing = False
    for library in libraries:
        prepared = prepare(BY_NAME[library])
        print(f"== {library} {prepared.version}", flush=True)
        comparison = compare(prepared, options)
        print(comparison.summary(), flush=True)
        last = comparison.ridden[-1]
        print(f"patched: {sorted(name for name, state in last.state_of_libraries.items() if 'patched' in state)}")
        print(f"said: {last.said}", flush=True)
        if comparison.tells_nothing:
            print(f"NOT COMPARED: a run of {library} was ended after {prepared.suite.longest_s:.0f} s, or had no test")
        differing |= bool(comparison.differences) or comparison.exit_codes_differ or comparison.tells_nothing
    return int(differing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
