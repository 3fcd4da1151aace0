"""`python -m remora`: the `remora` script, for a Python whose scripts are not on PATH."""

from __future__ import annotations

from remora.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
