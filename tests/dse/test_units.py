"""Quantities with units: what is read, what is refused, and what is shown."""

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import units
from dse.units import YEAR, GiB, UnitError, forms, parse, show, si

PROPERTY = settings(derandomize=True, deadline=None)
CANONICAL = [
    *("1", "1/s", "Hz", "s", "m^2", "W", "J", "J/B", "J/token", "FLOP/J", "FLOP/B"),
    *("B", "B/s", "FLOP", "FLOP/s", "op", "op/s", "MAC", "MAC/s", "cycle"),
    *("token", "token/s", "token/J", "request", "request/s", "sequence/s", "design/s"),
    *("USD", "USD/J", "USD/s", "USD/B", "USD/token", "USD/W", "W/m^2", "B/token", "J*s"),
]
SIZES = st.floats(-30, 30).map(lambda power: 10.0**power)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("3.2 GB/s", "B/s", 3.2e9),
        ("3.2GB/s", "B/s", 3.2e9),
        ("  3.2e9   B / s ", "B/s", 3.2e9),
        ("16 GiB", "B", 16 * 2**30),
        ("16 GB", "B", 16e9),
        ("40 GHz", "Hz", 40e9),
        ("40 GHz", "1/s", 40e9),
        ("5 s^-1", "Hz", 5.0),
        ("20 1/s", "Hz", 20.0),
        ("25 pJ/bit", "J/B", 25 * 8e-12),
        ("25 pJ/b", "J/bit", 25 * 8e-12),
        ("100 Gb/s", "B/s", 12.5e9),
        ("100 Gbit/s", "B/s", 12.5e9),
        ("1 Kib", "B", 128.0),
        ("5 ms", "s", 0.005),
        ("7 us", "s", 7e-6),
        ("7 µs", "s", 7e-6),
        ("7 μs", "s", 7e-6),
        ("90 min", "s", 5400.0),
        ("12 months", "s", 365.25 * 86400),
        ("3 years", "s", 3 * 365.25 * 86400),
        ("312 TFLOPS", "FLOP/s", 312e12),
        ("312 TFLOP/s", "FLOP/s", 312e12),
        ("4 TOPS", "op/s", 4e12),
        ("700 W", "J/s", 700.0),
        ("1.2 kWh", "J", 4.32e6),
        ("814 mm^2", "m^2", 814e-6),
        ("814mm2", "m^2", 814e-6),
        ("2 B*s·token/s", "B*token", 2.0),
        ("0.15 $/kWh", "USD/J", 0.15 / 3.6e6),
        ("$0.15/kWh", "USD/J", 0.15 / 3.6e6),
        ("$25,000", "USD", 25000.0),
        ("-$1.2M", "USD", -1.2e6),
        ("25 k$", "USD", 25000.0),
        ("10 %", "1", 0.1),
        ("10%", "1", 0.1),
        ("0.1", "1", 0.1),
        ("12,345", "1", 12345.0),
        ("1 token", "token", 1.0),
        ("3 requests/s", "request/s", 3.0),
        (".5 W", "W", 0.5),
    ],
)
def test_a_text_with_a_unit_is_read_as_si(text, unit, value):
    assert parse(text, unit) == pytest.approx(value, rel=1e-15)  # one rounding of the product


@pytest.mark.parametrize("number", [3, 3.0])
def test_a_bare_number_is_already_si_whatever_the_prefix_of_the_wanted_unit(number):
    value = parse(number, "GB/s")
    assert value == 3.0
    assert isinstance(value, float)


@pytest.mark.parametrize(
    ("expression", "factor", "canonical"),
    [
        ("GB/s", 1e9, "B/s"),
        ("TFLOPS", 1e12, "FLOP/s"),
        ("pJ/bit", 8e-12, "J/B"),
        ("years", YEAR, "s"),
        ("%", 0.01, "1"),
        ("USD/kWh", 1 / 3.6e6, "USD/J"),
        ("$/h", 1 / 3600, "USD/s"),
        ("mm^2", 1e-6, "m^2"),
        ("GHz", 1e9, "Hz"),
        ("1/s", 1.0, "1/s"),
        ("J/s", 1.0, "W"),
        ("kW/mm^2", 1e9, "W/m^2"),
        ("GFLOP/s/W", 1e9, "FLOP/J"),
        ("B/B", 1.0, "1"),
    ],
)
def test_an_expression_has_an_exact_factor_and_one_canonical_unit(expression, factor, canonical):
    assert si(expression) == (factor, canonical)


def test_constants_agree_with_the_units_of_the_same_name():
    for name in ("kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"):
        assert getattr(units, name.replace("kB", "KB")) == si(name)[0]
    for name in ("minute", "hour", "day", "year"):
        assert getattr(units, name.upper()) == si(name)[0]
    assert (units.KILO, units.MEGA, units.GIGA, units.TERA) == (1e3, 1e6, 1e9, 1e12)
    assert (units.MILLI, units.MICRO, units.NANO, units.PICO) == (1e-3, 1e-6, 1e-9, 1e-12)


def test_a_byte_is_eight_bits_and_case_decides_which_is_meant():
    assert parse("8 Gb", "B") == parse("1 GB", "B")
    assert parse("1 B", "bit") == 1.0  # the result is SI: bytes


def test_binary_prefixes_are_larger_than_decimal_ones():
    assert parse("1 GiB", "B") == GiB
    assert parse("1 GiB", "B") / parse("1 GB", "B") == pytest.approx(1.073741824, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "unit", "reason"),
    [
        ("3.2 gb/s", "B/s", "did you mean 'GB' or 'Gb'? (B is byte, b is bit)"),
        ("16 KB", "B", "did you mean 'kB'"),
        ("100 Gbps", "B/s", "did you mean 'Gb/s'?"),
        ("3 ghz", "Hz", "did you mean 'GHz'?"),
        ("4 tops", "op/s", "OPS are rates per second"),
        ("312 TFLOPs", "FLOP/s", "FLOPS and OPS are rates per second"),
        ("40 GHz", "B/s", "'GHz' measures Hz, not B/s"),
        ("16 GB", "B/s", "'GB' measures B, not B/s"),
        ("4 TOPS", "FLOP/s", "'TOPS' measures op/s, not FLOP/s"),
        ("1 Gcycle/s", "Hz", "unknown unit 'Gcycle'"),
        ("1 cycle/s", "Hz", "'cycle/s' measures cycle/s, not Hz"),
        ("10 %", "B", "'%' measures 1, not B"),
        ("16", "B", "needs its unit"),
        ("", "B", "does not start with a number"),
        ("fast", "B/s", "does not start with a number"),
        ("nan", "1", "does not start with a number"),
        ("inf B", "B", "does not start with a number"),
        ("1e999 B", "B", "must be finite"),
        ("1_000 B", "B", "unknown unit '_000 B'"),
        ("1,23 B", "B", "unknown unit ',23 B'"),
        ("5 mB", "B", "unknown unit 'mB'"),
        ("5 mtoken", "token", "unknown unit 'mtoken'"),
        ("5 Gimm", "m", "unknown unit"),
        ("5 KiHz", "Hz", "unknown unit 'KiHz'"),
        ("5 ks", "s", "unknown unit 'ks'"),
        ("5 B//s", "B/s", "unknown unit ''"),
        ("5 (B)", "B", "unknown unit '(B)'"),
        ("5 B^0", "1", "unknown unit 'B^0'"),
        ("5 12/s", "1/s", "unknown unit '12'"),
        ("5\n\nGBs", "B", "unknown unit 'GBs'"),
        ("5 EB^9*EB^9", "B", "out of range"),
        ("$5 kWh", "J", "unknown unit 'k$Wh'"),
        (math.nan, "B", "must be finite"),
        (-math.inf, "B", "must be finite"),
        (10**400, "B", "must be finite"),
        (True, "1", "bool is neither text nor number"),
        (None, "B", "NoneType is neither text nor number"),
    ],
)
def test_what_is_refused_names_the_text_the_rule_and_the_way_out(text, unit, reason):
    with pytest.raises(UnitError) as refusal:
        parse(text, unit)
    message = str(refusal.value)
    assert message.startswith(repr(text))
    assert reason in message
    assert message.endswith(forms(unit))
    assert "\n" not in message


def test_an_unknown_wanted_unit_is_refused_by_every_function():
    for ask in (si, forms, lambda unit: parse("1 B", unit), lambda unit: show(1.0, unit)):
        with pytest.raises(UnitError, match="unknown unit 'furlong'"):
            ask("furlong")


@pytest.mark.parametrize("unit", [*CANONICAL, "GB/s", "%"])
def test_every_form_offered_in_a_message_is_accepted(unit):
    offered = forms(unit).split("'")[1::2]
    assert offered
    for text in offered:
        assert parse(text, unit) > 0


def test_the_forms_of_a_bandwidth_read_as_documented():
    assert forms("GB/s") == "'3.2 GB/s', '3 GiB/s', '100 Gb/s' or a bare number in B/s"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3.2e9, "B/s", "3.2 GB/s"),
        (3.2e9, "GiB/s", "3.2 GB/s"),
        (-5e9, "B", "-5 GB"),
        (999.96, "B", "1 kB"),
        (999.4, "B", "999 B"),
        (0, "B", "0 B"),
        (-0.0, "B", "0 B"),
        (1e25, "B", "10,000,000 EB"),
        (312e12, "FLOP/s", "312 TFLOP/s"),
        (1.5e9, "Hz", "1.5 GHz"),
        (200e-12, "J/B", "200 pJ/B"),
        (1e-20, "J", "0.00001 fJ"),
        (814e-6, "m^2", "814 mm^2"),
        (0.5, "token/s", "0.5 token/s"),
        (12345, "request/s", "12,345 request/s"),
        (20, "1/s", "20 1/s"),
        (5.37e-3, "s", "5.37 ms"),
        (4e-6, "s", "4 µs"),
        (90, "s", "90 s"),
        (5400, "s", "90 min"),
        (7200, "s", "2 h"),
        (-3 * 86400, "s", "-3 days"),
        (YEAR, "s", "1 year"),
        (3 * YEAR, "years", "3 years"),
        (7795, "USD", "$7,795"),
        (-25000, "USD", "-$25,000"),
        (1234.56, "USD", "$1,235"),
        (12.5, "USD", "$12.50"),
        (0.15, "USD", "$0.15"),
        (0.1, "USD", "$0.10"),
        (1.234e6, "USD", "$1.23M"),
        (0.15 / 3.6e6, "USD/J", "0.15 $/kWh"),
        (2 / 3600, "USD/s", "2 $/h"),
        (2e-6, "USD/token", "2 $/Mtoken"),
        (0.12, "%", "12 %"),
        (0.12, "1", "0.12"),
        (1.0, "1", "1"),
        (12345, "1", "12,345"),
        (1.2345e8, "1", "123,000,000"),
        (1.5e-7, "1", "1.5e-7"),
        (math.inf, "B", "infinite"),
        (-math.inf, "s", "-infinite"),
        (math.nan, "USD", "unknown"),
    ],
)
def test_a_number_is_shown_in_the_unit_that_suits_its_size(value, unit, text):
    assert show(value, unit) == text


def test_whole_numbers_below_a_million_are_exact_even_at_few_digits():
    assert show(123, "1", digits=2) == "123"
    assert show(123.4, "1", digits=2) == "120"


def test_more_digits_are_shown_when_asked_for():
    assert show(1234567890.0, "B", digits=6) == "1.23457 GB"


@PROPERTY
@given(size=SIZES, unit=st.sampled_from(CANONICAL), digits=st.integers(1, 9), sign=st.booleans())
def test_what_is_shown_reads_back_within_the_shown_digits(size, unit, digits, sign):
    value = -size if sign else size
    # Half a unit in the last digit, and a few roundings of double precision.
    tolerance = 0.5 * 10.0 ** (1 - digits) + 1e-14
    assert parse(show(value, unit, digits=digits), unit) == pytest.approx(value, rel=tolerance)


@PROPERTY
@given(power=st.floats(-14.9, 20.9), unit=st.sampled_from(["J", "W", "J/B", "FLOP/J", "B/s"]))
def test_the_mantissa_stays_between_one_and_a_thousand_where_prefixes_reach(power, unit):
    number = float(show(10.0 ** (power if unit[0] in "JW" else abs(power)), unit).split(" ")[0])
    assert 1 <= number < 1000


@PROPERTY
@given(
    number=st.floats(1e-9, 1e9),
    unit=st.sampled_from(["GB/s", "GiB", "Gb/s", "pJ/bit", "mm^2", "$/kWh", "years", "%", "TOPS"]),
)
def test_a_text_is_the_number_times_the_factor_of_its_unit(number, unit):
    # The product and the factor round once each.
    assert parse(f"{number!r} {unit}", unit) == pytest.approx(number * si(unit)[0], rel=1e-15)


@PROPERTY
@given(number=st.floats(1e-9, 1e9))
def test_a_small_prefix_gives_the_nearest_float_and_not_one_beside_it(number):
    assert parse(f"{number!r} ms", "s") == number / 1000


@PROPERTY
@given(text=st.text(max_size=30))
def test_any_text_gives_a_finite_number_or_a_unit_error(text):
    for candidate in (text, f"3 {text}", f"$3{text}"):
        try:
            assert math.isfinite(parse(candidate, "B/s"))
        except UnitError as refusal:
            assert "\n" not in str(refusal)  # noqa: PT017


def test_no_spelling_of_a_unit_is_claimed_twice():
    claims = [
        prefix + name
        for names, _, _, _, prefixes in units._BASES
        for name in names.split()
        for prefix in ["", *prefixes]
    ]
    assert len(claims) == len(set(claims))


def test_importing_units_brings_in_nothing_heavy():
    code = "import dse.units, sys; print({'numpy', 'pydantic', 'fractions'} & set(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert output.stdout.strip() == b"set()"


def test_a_share_of_more_percent_than_a_float_holds_is_infinite():
    assert show(1.79e308, "%") == "infinite"
    assert show(-1.79e308, "%") == "-infinite"
