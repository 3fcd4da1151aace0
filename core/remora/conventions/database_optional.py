"""What the conventions leave to the user to ask for, of database calls. Known before a driver is patched."""

from __future__ import annotations

from remora import diagnostics
from remora.conventions.keys import DB_RESPONSE_RETURNED_ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

OFFERED = (DB_RESPONSE_RETURNED_ROWS,)

# A driver without a count says -1, or the same number unsigned.
_NO_COUNT = 1 << 62


class _Asked:
    returned_rows = False
    comments = False


def configure(attributes: Iterable[str], comments: bool) -> None:
    """``attributes`` are names that may have * and ?; ``comments``: the trace travels along with statements."""
    _Asked.returned_rows = bool(wanted(attributes))
    _Asked.comments = comments


def wanted(names: Iterable[str]) -> frozenset[str]:
    """Those of the offered attributes that the names ask for."""
    from remora.conventions import http_optional  # deferred: only where somebody asks

    return http_optional.wanted(names, OFFERED)


def returned_rows() -> bool:
    """Whether ``db.response.returned_rows`` is asked for."""
    return _Asked.returned_rows


def comments() -> bool:
    """Whether statements get a comment."""
    return _Asked.comments


def put_returned_rows(attributes: dict[str, Any], cursor: Any) -> None:
    """How many rows a cursor of PEP 249 says its query returned; nothing where that shows only as they are fetched."""
    try:
        if getattr(cursor, "description", None) is None:
            return
        count = cursor.rowcount
        if type(count) is int and 0 <= count < _NO_COUNT:
            attributes[DB_RESPONSE_RETURNED_ROWS] = count
    except Exception as error:
        diagnostics.say("db-optional", f"returned rows could not be counted: {diagnostics.fault_text(error)}")
