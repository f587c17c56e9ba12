"""Units at the edge: text with a unit in, SI numbers inside, readable text out.

A quantity is a number (``3.2``, ``3.2e9``, ``12,345``) and a unit expression:

- factors are joined by ``/``, ``*`` or ``·`` and take a small integer power (``mm^2``, ``s^-1``);
- ``B`` is a byte and ``b`` or ``bit`` an eighth of one; ``GB`` is 10^9 B and ``GiB`` 2^30 B;
- ``FLOP``, ``op`` and ``MAC`` are counts; ``FLOPS`` and ``OPS`` are counts per second;
- counted things (``token``, ``request``, ``cycle`` ...) are dimensions of their own, so a
  rate of one never passes for a rate of another; ``Hz`` is ``1/s``.

Scales are kept as exact ratios of integers, so ``5 ms`` is the float nearest to 0.005.
"""

import math
import re
import sys
from collections.abc import Callable
from functools import lru_cache

from dse.errors import InputError

KB, MB, GB, TB = 1e3, 1e6, 1e9, 1e12
KiB, MiB, GiB, TiB = 2.0**10, 2.0**20, 2.0**30, 2.0**40
KILO, MEGA, GIGA, TERA = 1e3, 1e6, 1e9, 1e12
MILLI, MICRO, NANO, PICO = 1e-3, 1e-6, 1e-9, 1e-12
MINUTE, HOUR, DAY, YEAR = 60.0, 3600.0, 86400.0, 31557600.0

Dimensions = tuple[tuple[str, int], ...]
"""Base dimensions with their powers, none of them zero."""
Scale = tuple[int, int, Dimensions]
"""A unit as an exact ratio (numerator, denominator) of its SI unit, and its dimensions."""


class UnitError(InputError):
    """A text that is no quantity of the wanted unit; the message is one line."""


# Prefixes as exact ratios (numerator, denominator); micro is µ, the Greek letter or u.
_NONE: dict[str, tuple[int, int]] = {}
_UP = {name: (10 ** (3 * n), 1) for n, name in enumerate("kMGTPE", 1)}
_BINARY = {**_UP, **{f"{name}i": (2 ** (10 * n), 1) for n, name in enumerate("KMGTP", 1)}}
_DOWN = {name: (1, 10 ** (3 * n)) for n, name in enumerate("mµnpf", 1)}
_DOWN |= dict.fromkeys("uμ", _DOWN["µ"])
_DISPLAYED = {**{name: _DOWN[name] for name in "fpnµm"}, "": (1, 1), **_UP}

# Spellings | numerator | denominator | dimensions | prefixes allowed.
_BASES: tuple[tuple[str, int, int, dict[str, int], dict[str, tuple[int, int]]], ...] = (
    ("B byte bytes", 1, 1, {"B": 1}, _BINARY),
    ("b bit bits", 1, 8, {"B": 1}, _BINARY),
    ("s second seconds", 1, 1, {"s": 1}, _DOWN),
    ("min minute minutes", 60, 1, {"s": 1}, _NONE),
    ("h hour hours", 3600, 1, {"s": 1}, _NONE),
    ("d day days", 86400, 1, {"s": 1}, _NONE),
    ("month months", 2629800, 1, {"s": 1}, _NONE),
    ("year years yr", 31557600, 1, {"s": 1}, _NONE),
    ("Hz", 1, 1, {"s": -1}, _UP),
    ("FLOP", 1, 1, {"FLOP": 1}, _UP),
    ("FLOPS", 1, 1, {"FLOP": 1, "s": -1}, _UP),
    ("op", 1, 1, {"op": 1}, _UP),
    ("OPS", 1, 1, {"op": 1, "s": -1}, _UP),
    ("MAC MACs", 1, 1, {"MAC": 1}, _UP),
    ("J", 1, 1, {"J": 1}, {**_UP, **_DOWN}),
    ("W", 1, 1, {"J": 1, "s": -1}, {**_UP, **_DOWN}),
    ("Wh", 3600, 1, {"J": 1}, _UP),
    ("m", 1, 1, {"m": 1}, {"k": _UP["k"], **_DOWN}),
    ("USD $", 1, 1, {"USD": 1}, _UP),
    ("token tokens", 1, 1, {"token": 1}, _UP),
    *((f"{n} {n}s", 1, 1, {n: 1}, _NONE) for n in ("request", "sequence", "design", "cycle")),
    ("1", 1, 1, {}, _NONE),
    ("%", 1, 100, {}, _NONE),
)
_SPELLINGS: dict[str, Scale] = {
    prefix + name: (up * numerator, down * denominator, tuple(dimensions.items()))
    for names, numerator, denominator, dimensions, prefixes in _BASES
    for name in names.split()
    for prefix, (up, down) in {"": (1, 1), **prefixes}.items()
}
_COUNTED = ("FLOP", "op", "MAC", "token", "request", "sequence", "design", "cycle")
_ORDER = ("USD", *_COUNTED, "B", "J", "W", "m", "s")

# How a canonical unit reads best when it is not the SI unit with a prefix.
_READS_AS = {"%": "%", "USD/J": "$/kWh", "USD/s": "$/h", "USD/B": "$/GB", "USD/token": "$/Mtoken"}
# Length | name; a unit is used from two of its length on, a year from one.
_LONG_TIMES = ((YEAR, "years"), (DAY, "days"), (HOUR, "h"), (MINUTE, "min"))

_EXAMPLES = {
    "1": ("0.1", "10 %"),
    "B": ("16 GB", "16 GiB", "80 Gb"),
    "B/s": ("3.2 GB/s", "3 GiB/s", "100 Gb/s"),
    "FLOP/s": ("312 TFLOPS", "312 TFLOP/s"),
    "op/s": ("4 TOPS", "4 Top/s"),
    "Hz": ("200 MHz", "1.4 GHz"),
    "s": ("5 ms", "2 h", "3 years"),
    "J/B": ("25 pJ/bit", "200 pJ/B"),
    "USD": ("$25,000", "25000 USD", "25 k$"),
}
_QUANTITY = re.compile(
    r"(?s)(?P<sign>[+-]?)(?P<money>\$?)(?=\.?[0-9])"
    r"(?P<number>(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)"
    r"\s*(?P<unit>.*)"
)
_FACTOR = re.compile(r"(?P<name>1(?![0-9^])|[A-Za-zµμ$%]+)(?:\^?([1-9])|\^(-[1-9]))?")


def _hint(name: str) -> str:
    """The likely meaning of an unknown unit name, or nothing."""
    if name.endswith("ps") and name[:-2] in _SPELLINGS:
        return f", did you mean '{name[:-2]}/s'?"
    if name.lower().endswith(("flops", "ops")):
        return ": FLOP and op are counts, FLOPS and OPS are rates per second"
    close = [known for known in _SPELLINGS if known.lower() == name.lower()]
    meaning = " (B is byte, b is bit)" if name.lower().endswith("b") else ""
    return f", did you mean {' or '.join(map(repr, close))}?{meaning}" if close else ""


def _factor(text: str, sign: int) -> Scale:
    """One factor of a unit expression, ``GB`` or ``mm^2``, inverted when the sign is -1."""
    found = _FACTOR.fullmatch(text)
    if found is None or found["name"] not in _SPELLINGS:
        name = found["name"] if found else text
        raise UnitError(f"unknown unit {name!r}{_hint(name)}")
    numerator, denominator, dimensions = _SPELLINGS[found["name"]]
    power = sign * int(found[2] or found[3] or 1)
    if power < 0:
        numerator, denominator = denominator, numerator
    raised = tuple((base, power * n) for base, n in dimensions)
    return numerator ** abs(power), denominator ** abs(power), raised


def _ordered(powers: dict[str, int]) -> Dimensions:
    return tuple((base, powers[base]) for base in _ORDER if powers.get(base))


@lru_cache(maxsize=4096)
def _scale(unit: str) -> Scale:
    """The exact scale and the dimensions of a unit expression."""
    first, *rest = re.split(r"\s*([/*·])\s*", unit.strip())
    top, bottom = 1, 1
    powers: dict[str, int] = {}
    for joint, text in zip(["*", *rest[0::2]], [first, *rest[1::2]], strict=True):
        numerator, denominator, dimensions = _factor(text, -1 if joint == "/" else 1)
        top, bottom = top * numerator, bottom * denominator
        for base, power in dimensions:
            powers[base] = powers.get(base, 0) + power
    if max(top, bottom) > 10**300:
        raise UnitError(f"unit {unit!r} is out of range")
    common = math.gcd(top, bottom)
    return top // common, bottom // common, _ordered(powers)


@lru_cache(maxsize=4096)
def si(unit: str) -> tuple[float, str]:
    """Return the factor to SI and the canonical SI unit of a unit expression.

    >>> si("pJ/bit")
    (8e-12, 'J/B')
    """
    top, bottom, dimensions = _scale(unit)
    powers = dict(dimensions)
    if unit.strip().endswith("Hz") and powers == {"s": -1}:
        return top / bottom, "Hz"
    if powers.get("J") == 1 and powers.get("s") == -1:
        powers = {**powers, "J": 0, "s": 0, "W": 1}
    raised = {base: base + (f"^{abs(n)}" if abs(n) > 1 else "") for base, n in powers.items()}
    over = "*".join(raised[base] for base, power in _ordered(powers) if power > 0)
    under = "".join(f"/{raised[base]}" for base, power in _ordered(powers) if power < 0)
    return top / bottom, (over or "1") + under


def forms(unit: str) -> str:
    """Return the accepted spellings of a unit, for messages.

    >>> forms("B/s")
    "'3.2 GB/s', '3 GiB/s', '100 Gb/s' or a bare number in B/s"
    """
    canonical = si(unit)[1]
    examples = _EXAMPLES.get(canonical, (f"3 {_READS_AS.get(canonical, canonical)}",))
    bare = "a bare number" + (f" in {canonical}" if canonical != "1" else "")
    return f"{', '.join(map(repr, examples))} or {bare}"


def _refusal(given: object, unit: str, reason: str) -> UnitError:
    wanted = "a number" if unit == "1" else f"a quantity in {unit}"
    return UnitError(f"{given!r} is not {wanted}: {reason}; write {forms(unit)}")


def _finite(value: float, given: object, unit: str) -> float:
    if not abs(value) <= sys.float_info.max:  # false for NaN too, and an int may be larger
        raise _refusal(given, unit, "it must be finite")
    return float(value)


def _unit_of(quantity: re.Match[str]) -> str:
    """The unit text of a quantity; a leading dollar sign joins it: ``$1.2M/h`` is ``M$/h``."""
    unit = quantity["unit"]
    return re.sub("^[kMGTPE]?", r"\g<0>$", unit) if quantity["money"] else unit


def _parse_text(text: str, unit: str) -> float:
    quantity = _QUANTITY.fullmatch(text.strip())
    if quantity is None:
        raise _refusal(text, unit, "it does not start with a number")
    wanted = _scale(unit)[2]
    written = _unit_of(quantity)
    if not written and wanted:
        raise _refusal(text, unit, "a number in quotes needs its unit")
    try:
        top, bottom, dimensions = _scale(written or "1")
    except UnitError as error:
        raise _refusal(text, unit, str(error)) from None
    if dimensions != wanted:
        raise _refusal(text, unit, f"{written!r} measures {si(written)[1]}, not {si(unit)[1]}")
    number = float(quantity["sign"] + quantity["number"].replace(",", ""))
    return _finite(number * top / bottom, text, unit)


def parse(text: str | float, unit: str) -> float:
    """Return a quantity as an SI number; a bare number is already SI.

    Raises:
        UnitError: the text has no unit, an unknown or another one, or is not finite.

    >>> parse("100 Gb/s", "B/s")
    12500000000.0
    """
    if isinstance(text, str):
        return _parse_text(text, unit)
    if isinstance(text, bool) or not isinstance(text, int | float):
        raise _refusal(text, unit, f"{type(text).__name__} is neither text nor number")
    return _finite(text, text, unit)


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(value: float, digits: int) -> str:
    """A number at so many significant digits, without trailing zeros."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if not -6 < power < 15:
        return f"{_trim(mantissa)}e{power}"
    return _trim(f"{float(f'{mantissa}e{power}'):,.{max(0, digits - 1 - power)}f}")


def _count(value: float, digits: int) -> str:
    """A number that takes no prefix; below a million, whole ones and thousands show each unit."""
    if abs(value) < MEGA and (value.is_integer() or abs(value) >= max(KILO, 10.0**digits)):
        return f"{value:,.0f}"
    return _number(value, digits)


def _money(value: float, digits: int) -> str:
    """Dollars and cents; whole dollars in the thousands, millions from a million up."""
    sign, size = "-" if value < 0 else "", abs(value)
    if size >= MEGA:
        return f"{sign}${_number(size / MEGA, digits)}M"
    text = _count(size, digits)
    return f"{sign}${text}{'0' if text[-2:-1] == '.' else ''}"


def _prefixed(value: float, canonical: str, digits: int) -> str:
    """The number under the largest prefix that leaves it at 1 or more as shown."""
    lead, _, power = re.split(r"[/*]", canonical, maxsplit=1)[0].partition("^")
    scales = [
        (prefix, (top / bottom) ** int(power or 1))
        for prefix, (top, bottom) in _DISPLAYED.items()
        if prefix + lead in _SPELLINGS
    ]
    if len(scales) == 1 or value == 0:
        return f"{_count(value, digits)} {canonical}"
    fitting = [s for s in scales if float(f"{abs(value) / s[1]:.{digits - 1}e}") >= 1]
    prefix, scale = (fitting or scales[:1])[-1]
    return f"{_number(value / scale, digits)} {prefix}{canonical}"


def _time(value: float, digits: int) -> str:
    for length, name in _LONG_TIMES:
        if abs(value) >= (length if length == YEAR else 2 * length):
            text = _number(value / length, digits)
            return f"{text} {name.removesuffix('s') if text in ('1', '-1') else name}"
    return _prefixed(value, "s", digits)


def show(value: float, unit: str, digits: int = 3) -> str:
    """Return an SI number as text in the unit and with the decimal prefix that suit its size.

    >>> show(0.00537, "s"), show(3.2e9, "B/s"), show(7795, "USD"), show(0.12, "%")
    ('5.37 ms', '3.2 GB/s', '$7,795', '12 %')
    """
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else "infinite" if value > 0 else "-infinite"
    canonical = "%" if unit == "%" else si(unit)[1]
    plain = float(value) + 0.0  # turns -0.0 into 0.0
    if canonical in _SPECIAL:
        return _SPECIAL[canonical](plain, digits)
    if canonical in _READS_AS:
        reads = _READS_AS[canonical]
        scaled = plain / si(reads)[0]
        if math.isinf(scaled):  # more percent than a float holds
            return show(scaled, "1")
        return f"{_count(scaled, digits)} {reads}"
    return _prefixed(plain, canonical, digits)


_SPECIAL: dict[str, Callable[[float, int], str]] = {"1": _count, "USD": _money, "s": _time}
