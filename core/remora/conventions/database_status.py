"""Where drivers keep the database's own code of a failure: SQLSTATE, error number, error name."""

from __future__ import annotations

from remora.conventions.values_cy import exact_int, exact_text

_MAX_CODE_CHARS = 64
_MAX_CODE_DIGITS = 9
_NUMBERED = frozenset({"mysql", "mariadb", "microsoft.sql_server", "tidb"})
_NOT_SQL = frozenset({"elasticsearch", "mongodb", "opensearch", "redis", "valkey"})
_OWN_NUMBER = {"clickhouse": "code", "trino": "error_code"}
_SQLSTATE_NAMES = ("sqlstate", "pgcode", "sqlite_errorname")


def status_code(system: str, exception: BaseException) -> str | None:
    """The ``db.response.status_code`` of an exception of any driver, in the form its system documents; else None."""
    try:
        return _status_code(system, exception)
    except Exception:
        return None


def _status_code(system: str, exception: BaseException) -> str | None:
    if system in _NOT_SQL:
        return _code_of_its_own(system, exception)
    original = getattr(exception, "orig", None)
    if isinstance(original, BaseException):
        exception = original  # SQLAlchemy wraps the driver's exception
    arguments = exception.args
    first = arguments[0] if arguments else None
    if system in _NUMBERED:
        # mysql-connector has errno, pymysql and pymssql a first argument; a lost connection may carry 0 or -1.
        number = exact_int(getattr(exception, "errno", None) or getattr(exception, "number", None) or first)
        if number is not None and number > 0 and type(first) is not bool:
            return str(number)[:_MAX_CODE_DIGITS]
    own = _OWN_NUMBER.get(system)
    if own is not None:
        # clickhouse-driver's cursors wrap the client's exception.
        number = exact_int(getattr(exception, own, None) or getattr(first, own, None))
        if number is not None and number > 0:
            return str(number)[:_MAX_CODE_DIGITS]
    for name in _SQLSTATE_NAMES:
        code = exact_text(getattr(exception, name, None))
        if code:
            return code[:_MAX_CODE_CHARS]
    code = exact_text(getattr(first, "full_code", None))  # ORA-00942
    if code:
        return code[:_MAX_CODE_CHARS]
    if type(first) is dict:  # pg8000 passes the server's fields on
        code = exact_text(first.get("C"))
        return code[:_MAX_CODE_CHARS] if code else None
    if type(first) is str and len(arguments) > 1 and len(first) == 5 and first.isalnum() and first == first.upper():
        return first  # pyodbc begins with the SQLSTATE
    return None


def _code_of_its_own(system: str, exception: BaseException) -> str | None:
    if system == "mongodb":
        number = exact_int(getattr(exception, "code", None))
        return str(number) if number is not None else None
    if system in ("elasticsearch", "opensearch"):
        status = getattr(getattr(exception, "meta", exception), "status", getattr(exception, "status_code", None))
        number = exact_int(status) if type(status) is int else None
        return str(number) if number is not None else None
    from remora.conventions import redis_errors  # deferred: most programs meet none

    return redis_errors.status_code(exception)
