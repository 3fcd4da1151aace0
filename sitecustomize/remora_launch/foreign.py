"""Told in an interpreter that cannot load Remora: one line that names it, the one Remora is for, and the mend.

Never imported: onpath/sitecustomize.py runs this file as a script, in an interpreter that may be any Python since 2.7.
"""

import os
import sys

executable = sys.executable or sys.prefix
implementation = getattr(getattr(sys, "implementation", None), "name", "Python").replace("cpython", "CPython")
version = ".".join(str(part) for part in sys.version_info[:3])
line = "remora: not tracing " + implementation + " " + version + " (" + executable + "), which "
launched_by = os.environ.get("REMORA_LAUNCHED_BY")
too_old = sys.version_info < (3, 10)  # here it may be
if too_old:
    line += "is too old for Remora"
else:
    line += "does not have Remora installed"
if launched_by:
    line += "; it is installed for " + launched_by
if too_old:
    line += ". Run the program with Python 3.10 or newer"
else:
    line += ". To trace this one too: " + executable + " -m pip install remora"

quiet = os.environ.get("OTEL_LOG_LEVEL", "").strip().lower() in ("none", "off", "error", "fatal", "critical")
if not quiet and os.environ.get("REMORA_STOOD_DOWN") != sys.prefix:
    # Children of the same interpreter would only repeat it. One that can load Remora does not look at this.
    os.environ["REMORA_STOOD_DOWN"] = sys.prefix
    os.write(2, (line + "\n").encode("utf-8", "replace"))
