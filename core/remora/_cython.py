"""Stands in for ``import cython`` where Cython is not installed: modules that may be compiled then run as they are.

Every name does nothing, at no cost after import. A module named ``*_cy.py`` begins with::

    try:
        import cython
    except ModuleNotFoundError:
        from remora import _cython as cython
"""

from __future__ import annotations

from builtins import float, int  # as attributes of this module: cython.int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

compiled = False
NULL = None


def _unchanged(decorated: T) -> T:
    return decorated


def _with_options(*_: Any, **__: Any) -> Callable[[T], T]:
    return _unchanged


class _NoGil:
    """Both ``@cython.nogil`` and ``with cython.nogil:``."""

    def __call__(self, decorated: T) -> T:
        return decorated

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def declare(_type: Any = None, value: Any = None, **_: Any) -> Any:
    return value


def cast(_type: Any, value: Any, **_: Any) -> Any:
    return value


cclass = cfunc = ccall = final = inline = no_gc = no_gc_clear = internal = _unchanged
locals = returns = exceptval = freelist = boundscheck = wraparound = cdivision = initializedcheck = _with_options
overflowcheck = nonecheck = infer_types = binding = embedsignature = profile = linetrace = _with_options
nogil = gil = _NoGil()

char = schar = uchar = short = ushort = uint = long = ulong = longlong = ulonglong = int
Py_ssize_t = size_t = ssize_t = Py_hash_t = Py_UCS4 = int
bint = bool
double = longdouble = float
void = p_void = pp_void = p_char = p_uchar = p_int = p_uint = p_longlong = p_ulonglong = p_double = object
