"""Which characters the report's fonts can print, and what stands in for the others.

The fonts that come with typst cover Latin, Greek, Cyrillic and the usual signs. Another script
would print as empty boxes, and some of its characters end the compiler, so they never reach it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

COVERED = (
    (0x0020, 0x007E),  # Basic Latin
    (0x00A0, 0x00AC),  # Latin-1, without the soft hyphen
    (0x00AE, 0x02FF),  # Latin Extended, phonetic and spacing letters
    (0x0370, 0x0377),  # Greek
    (0x037A, 0x037F),
    (0x0384, 0x038A),
    (0x038C, 0x038C),
    (0x038E, 0x03A1),
    (0x03A3, 0x04FF),  # Greek and Cyrillic
    (0x1E00, 0x1EFF),  # Latin Extended Additional
    (0x200B, 0x200B),  # the place where a long word may break
    (0x2010, 0x2027),  # dashes, quotes, dots
    (0x202F, 0x2040),  # primes and guillemets
    (0x2044, 0x2044),
    (0x2070, 0x2071),  # superscripts and subscripts
    (0x2074, 0x208E),
    (0x20A0, 0x20BF),  # currencies
    (0x2100, 0x211E),  # letterlike signs
    (0x2120, 0x2120),
    (0x2122, 0x2122),
    (0x2126, 0x214F),
    (0x2153, 0x2184),  # fractions and Roman numerals
    (0x2190, 0x22FF),  # arrows and mathematics
    (0x2500, 0x25FF),  # lines, blocks and shapes
)
"""Ranges of code points, both ends included, that are known to print."""

LONGEST = 24
"""Letters of the longest word that is not given places to break."""

_FOREIGN = re.compile("[^" + "".join(rf"\U{a:08x}-\U{b:08x}" for a, b in COVERED) + "]+")
_LONG = re.compile(rf"\S{{{LONGEST + 1},}}")
_JOINT = re.compile(r"([._/=,:;\\-])(?=\w)")
_BREAK = "\u200b"


def script(character: str) -> str:
    """The script or kind of a character, as Unicode names it.

    >>> script("中"), script("あ"), script("🙂")
    ('CJK', 'HIRAGANA', 'symbol')
    """
    if unicodedata.category(character)[0] not in "LM":
        return "symbol"
    return unicodedata.name(character, "unnamed").split()[0].split("-")[0]


def foreign(text: str) -> set[str]:
    """The scripts of a text that the fonts do not cover."""
    return {script(letter) for run in _FOREIGN.findall(_composed(text)) for letter in run}


def printable(text: str) -> str:
    """The text as the fonts can print it: what they lack is named in square brackets.

    >>> printable("run 中文 now")
    'run [2 x CJK] now'
    """
    plain = _FOREIGN.sub(_stand_in, _composed(text))
    return _LONG.sub(_breakable, plain)


def _composed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _stand_in(run: re.Match[str]) -> str:
    counts: dict[str, int] = {}
    for letter in run[0]:
        counts[script(letter)] = counts.get(script(letter), 0) + 1
    return "[" + ", ".join(f"{count} x {name}" for name, count in counts.items()) + "]"


def _breakable(word: re.Match[str]) -> str:
    """A long word with places to break: after its joints, else wherever it is too long."""
    return _BREAK.join(
        piece
        for part in _JOINT.sub(rf"\1{_BREAK}", word[0]).split(_BREAK)
        for piece in _pieces(part)
    )


def _pieces(part: str) -> Iterator[str]:
    yield from (part[i : i + LONGEST] for i in range(0, len(part), LONGEST))
