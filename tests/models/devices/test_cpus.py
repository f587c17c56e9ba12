"""CPUs: the published tables, rounding included, and what follows from them."""

import re
from typing import cast

import pytest

from dse import registry, units
from dse.provenance import Number

CPUS = registry.devices("cpus")

# Cores, base GHz, turbo GHz, FP32 FLOP a cycle and core, peak TFLOPS at base, W: as printed.
PRINTED = {
    "xeon-8480-plus": (56, 2.0, 3.8, 64, 7.17, 350),
    "xeon-8380": (40, 2.3, 3.4, 64, 5.89, 270),
    "xeon-5218": (16, 2.3, 3.9, 32, 1.18, 125),
    "xeon-4214": (12, 2.2, 3.2, 32, 0.84, 85),
    "xeon-8180": (28, 2.5, 3.8, 64, 4.48, 205),
    "xeon-e5-2690v4": (14, 2.6, 3.5, 32, 1.16, 135),
    "ryzen-9-7950x": (16, 4.5, 5.7, 32, 2.30, 170),
    "threadripper-2990wx": (32, 3.0, 4.2, 16, 1.54, 250),
    "epyc-9654": (96, 2.4, 3.7, 32, 7.37, 360),
    "epyc-7601": (32, 2.2, 3.2, 16, 1.13, 180),
    "i7-7820x": (8, 3.6, 4.3, 64, 1.843, 140),
}
BANDWIDTH = {
    "xeon-8480-plus": 307.2,
    "xeon-6348": 204.8,
    "xeon-6230": 140.8,
    "xeon-6148": 128.0,
    "xeon-e5-2630v4": 68.3,
    "threadripper-1950x": 85.3,
    "epyc-9654": 460.8,
    "epyc-7601": 170.6,
    "i7-6700k": 34.1,
}


def number(slug: str, field: str) -> Number:
    return cast("Number", CPUS[slug][field])


def value(slug: str, field: str) -> float:
    """A number in SI."""
    return number(slug, field).value


def cpus_with(*fields: str) -> list[str]:
    return [slug for slug, row in CPUS.items() if set(fields) <= row.keys()]


@pytest.mark.parametrize("slug", PRINTED)
def test_numbers_are_those_in_the_published_table(slug: str) -> None:
    cores, base, turbo, flops, peak, power = PRINTED[slug]
    assert value(slug, "cores") == cores
    assert value(slug, "base_clock") == base * 1e9
    assert value(slug, "turbo_clock") == turbo * 1e9
    assert value(slug, "flops_per_cycle") == flops
    assert value(slug, "power") == power
    # The table prints two decimals of a TFLOPS, three of the i7.
    assert value(slug, "peak_fp32") == pytest.approx(peak * 1e12, abs=0.00501e12)


@pytest.mark.parametrize("slug", BANDWIDTH)
def test_memory_bandwidth_is_that_in_the_published_table(slug: str) -> None:
    assert value(slug, "memory_bandwidth") == pytest.approx(BANDWIDTH[slug] * units.GB, rel=1e-12)


def test_every_cpu_can_be_priced_by_a_roofline_but_four_without_memory_bandwidth() -> None:
    needed = {"cores", "base_clock", "turbo_clock", "flops_per_cycle", "peak_fp32", "power"}
    assert set(cpus_with(*needed)) == CPUS.keys()
    unknown = CPUS.keys() - set(cpus_with("memory_bandwidth"))
    assert unknown == {"ryzen-9-7950x", "ryzen-9-5950x", "ryzen-9-3950x", "threadripper-3990x"}


@pytest.mark.parametrize("slug", CPUS)
def test_flops_a_cycle_are_two_a_lane_of_every_unit(slug: str) -> None:
    lanes = value(slug, "vector_width") / 4  # bytes of one FP32
    assert value(slug, "flops_per_cycle") == 2 * value(slug, "fma_units") * lanes
    assert number(slug, "flops_per_cycle").source.kind == "derived"


@pytest.mark.parametrize("slug", CPUS)
def test_peak_is_cores_times_base_clock_times_flops_a_cycle(slug: str) -> None:
    peak = value(slug, "cores") * value(slug, "base_clock") * value(slug, "flops_per_cycle")
    assert value(slug, "peak_fp32") == pytest.approx(peak, rel=1e-12)
    assert number(slug, "peak_fp32").source.kind == "derived"


def test_base_clock_stays_below_turbo() -> None:
    for slug in CPUS:
        assert value(slug, "base_clock") < value(slug, "turbo_clock"), slug


@pytest.mark.parametrize("slug", cpus_with("memory_type", "memory_bandwidth"))
def test_bandwidth_is_eight_bytes_a_transfer_and_channel(slug: str) -> None:
    found = re.fullmatch(r"DDR[45]-(\d{4})", str(CPUS[slug]["memory_type"]))
    assert found, slug
    rated = 8 * value(slug, "memory_channels") * float(found[1]) * 1e6
    # DDR4-2933 and -2667 are rounded names of 2933.3 and 2666.7 MT/s.
    assert value(slug, "memory_bandwidth") == pytest.approx(rated, rel=1e-3)


def test_vectors_of_512_bit_are_read_off_the_counted_units() -> None:
    counted = {slug for slug in CPUS if number(slug, "fma_units").source.kind == "secondary"}
    assert len(counted) == 16
    assert {value(slug, "vector_width") for slug in counted} == {64}
    assert {number(slug, "vector_width").source.kind for slug in counted} == {"derived"}


@pytest.mark.parametrize("slug", ["i7-6700k", "i7-7700k", "i7-8700k", "i9-9900k", "i7-7820x"])
def test_a_part_known_only_from_memory_says_so_at_every_number(slug: str) -> None:
    kinds = {f: n.source.kind for f, n in CPUS[slug].items() if isinstance(n, Number)}
    assert {kinds.pop("peak_fp32"), kinds.pop("flops_per_cycle")} == {"derived"}
    assert set(kinds.values()) == {"memory"}


def test_pcie_lanes_and_generation_are_known_together() -> None:
    assert cpus_with("pcie_lanes") == cpus_with("pcie_generation")
    assert value("xeon-8480-plus", "pcie_lanes") == 80
    assert value("xeon-8480-plus", "pcie_generation") == 5
