"""Is 2.31 inside ">=2.20,<3"? PEP 440 by hand: importing packaging.specifiers would cost 29 ms."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

INSIDE: Final = "inside"
OLDER: Final = "older"
NEWER: Final = "newer"
EXCLUDED: Final = "excluded"

OPERATORS = ("===", "~=", "==", "!=", "<=", ">=", "<", ">")  # the longest first, so that a prefix match is right

_PRE = {"alpha": 0, "a": 0, "beta": 1, "b": 1, "preview": 2, "pre": 2, "rc": 2, "c": 2}
_POST = ("post", "rev", "r")
_LAST = float("inf")


class UnreadableError(ValueError):
    """A version or specifier that is none."""


class Version:
    """A version in the order of PEP 440; ``release`` as written, without an end of zeros in ``key``."""

    __slots__ = ("dev", "epoch", "key", "local", "post", "pre", "release")

    def __init__(self, text: str) -> None:
        scanner = _Scanner(text)
        self.epoch, self.release = scanner.epoch_and_release()
        self.pre = scanner.pre()
        self.post = scanner.post()
        self.dev = scanner.numbered(("dev",))
        self.local = scanner.local()
        scanner.expect_end()
        self.key = (*self.public_key(), self.local)

    @property
    def is_prerelease(self) -> bool:
        return self.pre is not None or self.dev is not None

    def public_key(self) -> tuple[object, ...]:
        """Its place in the order, without the local part."""
        return self._key_with(self.dev)

    def first_development_key(self) -> tuple[object, ...]:
        """Where what leads up to it begins: 3.0.dev0 for 3.0."""
        return self._key_with(0)

    def _key_with(self, dev: int | None) -> tuple[object, ...]:
        pre: tuple[float, float] = self.pre or (_LAST, 0)
        if self.pre is None and self.post is None and dev is not None:
            pre = (-1, 0)  # 1.0.dev1 comes before 1.0a1
        post = -1 if self.post is None else self.post
        return (self.epoch, trimmed(self.release), pre, post, _LAST if dev is None else dev)


def trimmed(release: tuple[int, ...]) -> tuple[int, ...]:
    end = len(release)
    while end > 1 and release[end - 1] == 0:
        end -= 1
    return release[:end]


def place(version: str, specifier: str) -> str:
    """Where ``version`` lies: inside, older, newer, or excluded by a ``!=`` or ``===``; pre-releases count as inside.

    Raises UnreadableError, naming the version or the clause.
    """
    parsed = _parsed(version)
    places = {_clause(parsed, version, clause.strip()) for clause in specifier.split(",") if clause.strip()}
    for outside in (OLDER, EXCLUDED, NEWER):
        if outside in places:
            return outside
    return INSIDE


def requirement(text: str) -> tuple[str, str]:
    """The name and the specifier of "celery[redis] (<6.0,>=4.0) ; extra == 'instruments'"."""
    text = text.partition(";")[0].strip()
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] in "-_."):
        end += 1
    name, rest = text[:end], text[end:].strip()
    if rest.startswith("["):
        rest = rest.partition("]")[2].strip()
    return name, rest.strip("()").strip()


def _parsed(version: str) -> Version:
    try:
        return Version(version)
    except UnreadableError:
        raise UnreadableError(f"version {version!r} is none by PEP 440") from None


def _clause(version: Version, text: str, clause: str) -> str:
    for operator in OPERATORS:
        if clause.startswith(operator):
            operand = clause[len(operator) :].strip()
            break
    else:
        raise UnreadableError(f"specifier {clause!r} has none of the operators {' '.join(OPERATORS)}")
    if operator == "===":
        return INSIDE if text.strip().lower() == operand.lower() else EXCLUDED
    try:
        return _compare(version, operator, operand)
    except UnreadableError:
        raise UnreadableError(f"specifier {clause!r} names no version that {operator} can be followed by") from None


def _compare(version: Version, operator: str, operand: str) -> str:
    if operator in ("==", "!=") and operand.endswith(".*"):
        return _alike(version, operator, _Prefix(operand[:-2]))
    bound = Version(operand)
    if bound.local and operator not in ("==", "!="):
        raise UnreadableError(operand)
    if operator in ("==", "!="):
        # A bound without a local part speaks of every build of that version.
        own, wanted = (version.key, bound.key) if bound.local else (version.public_key(), bound.public_key())
        if operator == "!=":
            return EXCLUDED if own == wanted else INSIDE
        return INSIDE if own == wanted else _side(version, bound)
    if operator == "~=":
        if len(bound.release) < 2:
            raise UnreadableError(operand)
        if version.public_key() < bound.public_key():
            return OLDER
        return _alike(version, "==", _Prefix.of(bound.epoch, bound.release[:-1]))
    if operator == ">=":
        return INSIDE if version.public_key() >= bound.public_key() else OLDER
    if operator == "<=":
        return INSIDE if version.public_key() <= bound.public_key() else NEWER
    if operator == "<":
        return INSIDE if _strictly_below(version, bound) else NEWER
    return INSIDE if _strictly_above(version, bound) else OLDER


def _strictly_below(version: Version, bound: Version) -> bool:
    # 3.0rc1 is no 2.x: "<3.0" leaves out what leads up to 3.0.
    end = bound.public_key() if bound.is_prerelease else bound.first_development_key()
    return version.public_key() < end


def _strictly_above(version: Version, bound: Version) -> bool:
    if bound.post is None and bound.dev is None:
        alike = version.epoch == bound.epoch and trimmed(version.release) == trimmed(bound.release)
        if alike and version.pre == bound.pre:
            return False  # neither 3.0.post1 nor 3.0+build is meant by ">3.0"
    return version.public_key() > bound.public_key()


def _side(version: Version, bound: Version) -> str:
    return OLDER if version.key < bound.key else NEWER


class _Prefix:
    """The ``1.2`` of ``==1.2.*``."""

    __slots__ = ("epoch", "release")

    def __init__(self, text: str) -> None:
        scanner = _Scanner(text)
        self.epoch, self.release = scanner.epoch_and_release()
        scanner.expect_end()

    @classmethod
    def of(cls, epoch: int, release: tuple[int, ...]) -> _Prefix:
        prefix = object.__new__(cls)
        prefix.epoch, prefix.release = epoch, release
        return prefix


def _alike(version: Version, operator: str, prefix: _Prefix) -> str:
    size = len(prefix.release)
    start = (version.release + (0,) * size)[:size]
    alike = version.epoch == prefix.epoch and start == prefix.release
    if operator == "!=":
        return EXCLUDED if alike else INSIDE
    if alike:
        return INSIDE
    return OLDER if (version.epoch, start) < (prefix.epoch, prefix.release) else NEWER


class _Scanner:
    """Reads a version from left to right, lower case, without regular expressions."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text.strip().lower()
        if not self.text.isascii():
            raise UnreadableError(text)
        self.at = 1 if self.text.startswith("v") else 0

    def epoch_and_release(self) -> tuple[int, tuple[int, ...]]:
        first, epoch = self._number(), 0
        if first is None:
            raise UnreadableError(self.text)
        if self.text.startswith("!", self.at):
            self.at += 1
            epoch, first = first, self._number()
            if first is None:
                raise UnreadableError(self.text)
        release = [first]
        while self.text.startswith(".", self.at):
            self.at += 1
            part = self._number()
            if part is None:
                self.at -= 1  # the dot of ".post1" or ".dev1"
                break
            release.append(part)
        return epoch, tuple(release)

    def pre(self) -> tuple[int, int] | None:
        for word, rank in _PRE.items():
            number = self.numbered((word,))
            if number is not None:
                return rank, number
        return None

    def post(self) -> int | None:
        if self.text.startswith("-", self.at) and self.text[self.at + 1 : self.at + 2].isdigit():
            self.at += 1
            return self._number()
        return self.numbered(_POST)

    def numbered(self, words: tuple[str, ...]) -> int | None:
        """A word with the separators PEP 440 lets stand around it and its number, which is 0 if left out."""
        start = self.at + (self.text[self.at : self.at + 1] in ("-", "_", "."))
        for word in words:
            if self.text.startswith(word, start):
                self.at = start + len(word)
                self.at += self.text[self.at : self.at + 1] in ("-", "_", ".")
                return self._number() or 0
        return None

    def local(self) -> tuple[tuple[int, int, str], ...]:
        if not self.text.startswith("+", self.at):
            return ()
        parts = self.text[self.at + 1 :].replace("-", ".").replace("_", ".").split(".")
        if not all(part.isalnum() for part in parts):
            raise UnreadableError(self.text)
        self.at = len(self.text)
        return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)

    def expect_end(self) -> None:
        if self.at != len(self.text):
            raise UnreadableError(self.text)

    def _number(self) -> int | None:
        start = self.at
        while self.at < len(self.text) and self.text[self.at].isdigit():
            self.at += 1
        return int(self.text[start : self.at]) if self.at > start else None
