"""Starts Remora at interpreter start, then hands over to the sitecustomize it displaced.

Any Python that the program starts runs this, also one that is too old for Remora or does not have it: it is written in
what all of them read (2.7 too) and needs nothing of ours to hand over.
"""

import os
import sys

onpath = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [entry for entry in sys.path if entry != onpath]
sys.path_importer_cache.pop(onpath, None)

switched_off = (
    os.environ.get("REMORA_ENABLED", "").strip().lower() in ("false", "0", "no", "off")
    or os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    or "REMORA_STARTING" in os.environ  # a helper, run by a process whose Remora is only just starting
)
try:
    if not switched_off:
        is_foreign = sys.version_info < (3, 10)  # here it may be
        if not is_foreign:
            try:
                from remora_launch.starting import begin

                begin(onpath)
            except ImportError:  # from the line above: `begin` raises none
                is_foreign = True
        if is_foreign:
            # Our packages are not here, so the file that tells why is read from where it lies.
            foreign = os.path.join(os.path.dirname(onpath), "foreign.py")
            with open(foreign) as source:
                exec(compile(source.read(), foreign, "exec"), {"__name__": "remora_foreign"})  # noqa: S102 - as said
except KeyboardInterrupt:
    raise
except BaseException:  # the program comes first, and what could be said has been said
    pass

# From here on it is as if we had never been: `site` gets the program's own module, its errors, or the ImportError that
# tells it there is none. Our module is held because Python 2 empties one that nobody holds.
ours = sys.modules.pop("sitecustomize", None)
__import__("sitecustomize")
