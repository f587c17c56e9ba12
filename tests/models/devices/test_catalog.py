"""The hardware catalog: complete entries, one unit a field, and numbers that fit together."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import cast

import pytest

import models.devices
from dse import documents, registry, units
from dse.provenance import KINDS, Number, Row

FOLDER = Path(models.devices.__file__).parent
KINDS_OF_DEVICE = ("gpus", "fpgas", "cpus", "ssds", "nand", "links")
FILES = (*KINDS_OF_DEVICE, "prices")
RAW = {name: documents.read(FOLDER / f"{name}.yaml") for name in FILES}
ROWS: Mapping[str, Mapping[str, Row]] = {kind: registry.devices(kind) for kind in KINDS_OF_DEVICE}
GPUS = ROWS["gpus"]
FPGAS = ROWS["fpgas"]

WORDS = {"title", "release", "memory_type", "cell", "technology", "form", "note"}
"""Fields of a device that hold words."""

PACES = ("fastest_", "", "slowest_")
"""How a time of flash is told apart by page."""

UNITS = {
    "gpus": {
        **dict.fromkeys(
            ("peak_fp32", "peak_tf32", "peak_fp16", "peak_bf16", "peak_fp8", "peak_int8"), "TFLOPS"
        ),
        **dict.fromkeys(("memory_bandwidth", "host_bandwidth", "nvlink_bandwidth"), "GB/s"),
        **dict.fromkeys(("base_clock", "boost_clock"), "MHz"),
        **dict.fromkeys(("l1_capacity", "shared_memory"), "KiB"),
        **dict.fromkeys(("multiprocessors", "compute_capability"), "1"),
        "memory_capacity": "GB",
        "l2_capacity": "MB",
        "power": "W",
        "die_area": "mm^2",
    },
    "fpgas": {
        **dict.fromkeys(("lut", "ff", "bram36", "uram", "dsp", "qsfp_ports"), "1"),
        **dict.fromkeys((f"device_{f}" for f in ("lut", "ff", "bram36", "uram", "dsp")), "1"),
        **dict.fromkeys(("hbm_bandwidth", "hbm_bandwidth_measured", "ddr_bandwidth"), "GB/s"),
        **dict.fromkeys(("hbm_capacity", "ddr_capacity"), "GB"),
        "onchip_capacity": "MiB",
        "link_bandwidth": "Gb/s",
        "peak_int8": "TFLOPS",
        "power": "W",
    },
    "cpus": {
        **dict.fromkeys(("cores", "fma_units", "memory_channels"), "1"),
        **dict.fromkeys(("pcie_generation", "pcie_lanes"), "1"),
        **dict.fromkeys(("base_clock", "turbo_clock"), "GHz"),
        "vector_width": "bit",
        "flops_per_cycle": "FLOP/cycle",
        "peak_fp32": "TFLOPS",
        "memory_bandwidth": "GB/s",
        "llc_capacity": "MB",
        "power": "W",
    },
    "ssds": {
        **dict.fromkeys(("link_generation", "link_lanes", "channels"), "1"),
        **dict.fromkeys(("capacity", "smallest_capacity", "largest_capacity"), "TB"),
        **dict.fromkeys(("raw_capacity", "written_limit"), "TB"),
        **dict.fromkeys(("read_bandwidth", "write_bandwidth"), "GB/s"),
        **dict.fromkeys(("read_iops", "write_iops"), "request/s"),
        **dict.fromkeys(("read_latency", "write_latency"), "µs"),
        **dict.fromkeys(("power", "idle_power"), "W"),
        "drive_writes_per_day": "1",
        "warranty": "year",
    },
    "nand": {
        **dict.fromkeys(("bits_per_cell", "endurance", "pages_per_block", "layers"), "1"),
        **dict.fromkeys(("channels", "packages_per_channel", "dies_per_package"), "1"),
        **dict.fromkeys(("planes_per_die", "overprovisioning"), "1"),
        **{f"{pace}{kind}_time": "µs" for pace in PACES for kind in ("read", "program")},
        **dict.fromkeys(("page_transfer_time", "firmware_read_time"), "µs"),
        **dict.fromkeys(("page_read_energy", "page_program_energy", "block_erase_energy"), "µJ"),
        **dict.fromkeys(("channel_bandwidth", "drive_bandwidth"), "MB/s"),
        "die_program_bandwidth": "MB/s",
        "erase_time": "ms",
        "page_size": "KiB",
        "die_capacity": "GB",
    },
    "links": {
        **dict.fromkeys(("generation", "lanes", "links"), "1"),
        **dict.fromkeys(("bandwidth", "practical_bandwidth", "link_bandwidth"), "GB/s"),
        **dict.fromkeys(("transfer_unit", "largest_payload"), "B"),
        "raw_bandwidth": "Gb/s",
        "latency": "µs",
    },
}
"""The only fields of numbers, and the unit each is written in."""

LANES = {6.0: 64, 6.1: 128, 7.0: 64, 7.5: 64, 8.0: 64, 8.6: 128, 8.9: 128, 9.0: 128}
"""FP32 lanes of one multiprocessor, by compute capability."""

L1 = {7.0: 128, 7.5: 96, 8.0: 192, 8.6: 128, 8.9: 128, 9.0: 256}
"""KiB of L1 cache and shared memory of one multiprocessor, by compute capability."""


def numbers(row: Row) -> Iterator[tuple[str, Number]]:
    return ((field, item) for field, item in row.items() if isinstance(item, Number))


def number(slug: str, field: str) -> Number:
    row = GPUS[slug] if slug in GPUS else FPGAS[slug]
    return cast("Number", row[field])


def entries(kind: str) -> dict[str, Mapping[str, object]]:
    """Every number of a file as it is written, by its dotted place."""
    document = RAW[kind]
    tables = cast("Mapping[str, Mapping[str, object]]", document)
    rows = tables["devices"] if kind != "prices" else {k: tables[k] for k in ("prices", "rates")}
    return {
        f"{slug}.{field}": cast("Mapping[str, object]", entry)
        for slug, row in rows.items()
        for field, entry in cast("Mapping[str, object]", row).items()
        if field not in WORDS
    }


def gpus_with(*fields: str) -> list[str]:
    return [slug for slug, row in GPUS.items() if set(fields) <= row.keys()]


def value(slug: str, field: str) -> float:
    """A number in SI."""
    return number(slug, field).value


@pytest.mark.parametrize("kind", FILES)
def test_a_number_is_written_as_value_unit_source_and_at_most_a_note(kind: str) -> None:
    for place, entry in entries(kind).items():
        assert {"value", "unit", "source"} <= entry.keys(), place
        assert entry.keys() <= {"value", "unit", "source", "note"}, place


@pytest.mark.parametrize("kind", FILES)
def test_every_source_says_where_and_of_which_kind_and_is_used(kind: str) -> None:
    sources = cast("Mapping[str, Mapping[str, str]]", RAW[kind]["sources"])
    assert all(source.keys() == {"where", "kind"} for source in sources.values())
    assert all(source["where"] and source["kind"] in KINDS for source in sources.values())
    assert {entry["source"] for entry in entries(kind).values()} == sources.keys()


@pytest.mark.parametrize("kind", FILES)
def test_every_value_is_a_finite_positive_number_and_only_uram_may_be_zero(kind: str) -> None:
    for place, entry in entries(kind).items():
        amount = entry["value"]
        assert isinstance(amount, int | float), place
        assert math.isfinite(amount), place
        assert amount > 0 or (amount == 0 and place.endswith(".uram")), place


@pytest.mark.parametrize("kind", KINDS_OF_DEVICE)
def test_a_field_has_one_unit_on_all_devices_and_no_field_is_unheard_of(kind: str) -> None:
    written = {(place.rpartition(".")[2], entry["unit"]) for place, entry in entries(kind).items()}
    assert written == set(UNITS[kind].items())


def test_units_reach_si() -> None:
    assert value("v100-pcie-16gb", "peak_fp32") == pytest.approx(14.13e12, rel=1e-12)
    assert value("a100-pcie-40gb", "l1_capacity") == 192 * 1024
    assert value("u280", "link_bandwidth") == 12.5e9
    assert value("t4", "die_area") == pytest.approx(545e-6, rel=1e-12)
    assert number("t4", "peak_int8").unit == number("t4", "peak_fp16").unit == "FLOP/s"


@pytest.mark.parametrize("kind", KINDS_OF_DEVICE)
def test_every_device_has_a_title_and_numbers(kind: str) -> None:
    for slug, row in ROWS[kind].items():
        assert isinstance(row["title"], str), slug
        assert len(list(numbers(row))) >= 3, slug
        assert all(isinstance(row[field], str) for field in WORDS & row.keys()), slug


def test_every_gpu_can_be_priced_by_a_roofline() -> None:
    needed = {"peak_fp32", "memory_capacity", "memory_bandwidth", "multiprocessors", "power"}
    needed |= {"l2_capacity", "host_bandwidth", "memory_type"}
    assert set(gpus_with(*needed)) == GPUS.keys()


def test_slugs_are_lower_case_and_unique_across_the_files() -> None:
    slugs = [slug for kind in KINDS_OF_DEVICE for slug in ROWS[kind]]
    assert len(slugs) == len(set(slugs))
    assert all(re.fullmatch(r"[a-z0-9]+([-.][a-z0-9]+)*", slug) for slug in slugs)


def test_words_of_a_gpu_are_a_known_memory_and_a_day_of_release() -> None:
    memories = {"HBM2", "HBM2e", "HBM3", "HBM3e", "GDDR5", "GDDR5X", "GDDR6", "GDDR6X"}
    assert {row["memory_type"] for row in GPUS.values()} == memories
    for slug in gpus_with("release"):
        assert date(2016, 1, 1) < date.fromisoformat(str(GPUS[slug]["release"])), slug


@pytest.mark.parametrize("kind", FILES)
def test_a_file_has_short_lines_and_one_number_a_line(kind: str) -> None:
    lines = (FOLDER / f"{kind}.yaml").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 160
    assert sum("{value:" in line for line in lines) == len(entries(kind))


@pytest.mark.parametrize("kind", FILES)
def test_a_source_of_kind_memory_says_the_word(kind: str) -> None:
    sources = cast("Mapping[str, Mapping[str, str]]", RAW[kind]["sources"])
    named = {key: source for key, source in sources.items() if source["kind"] == "memory"}
    assert named
    assert all("memory" in source["where"] for source in named.values())


@pytest.mark.parametrize("slug", gpus_with("compute_capability", "boost_clock"))
def test_fp32_peak_is_two_operations_a_lane_and_boost_clock(slug: str) -> None:
    lanes = value(slug, "multiprocessors") * LANES[value(slug, "compute_capability")]
    peak = 2 * lanes * value(slug, "boost_clock")
    # Datasheets round to two or three digits: 51 for 51.2, 5.70 for 5.698.
    assert value(slug, "peak_fp32") == pytest.approx(peak, rel=0.005)


@pytest.mark.parametrize(("slug", "lanes"), [("mi210", 64), ("mi250x", 64), ("mi300x", 128)])
def test_fp32_peak_of_an_amd_board_is_two_operations_a_lane_and_boost_clock(
    slug: str, lanes: int
) -> None:
    peak = 2 * lanes * value(slug, "multiprocessors") * value(slug, "boost_clock")
    assert value(slug, "peak_fp32") == pytest.approx(peak, rel=0.005)


def test_fewer_bits_never_compute_slower_on_matrix_units() -> None:
    # Half of the bits, at least twice the rate; datasheets round by up to 2.5 % (L40S 733/362).
    for slug in gpus_with("peak_fp16"):
        assert value(slug, "peak_fp16") >= 1.95 * value(slug, "peak_fp32"), slug
    for slug in gpus_with("peak_tf32", "peak_fp16"):
        tf32 = value(slug, "peak_tf32")
        assert value(slug, "peak_fp32") <= tf32 <= 0.51 * value(slug, "peak_fp16"), slug
    for slug in gpus_with("peak_fp8"):
        assert value(slug, "peak_fp8") == pytest.approx(2 * value(slug, "peak_fp16"), rel=0.03)
        assert value(slug, "peak_int8") >= 0.99 * value(slug, "peak_fp8"), slug


def test_bf16_runs_at_the_rate_of_fp16_with_fp32_accumulate() -> None:
    for slug in gpus_with("peak_bf16"):
        assert value(slug, "peak_bf16") == value(slug, "peak_fp16"), slug


def test_no_peak_is_sparse() -> None:
    # A sparse int8 figure is four times dense FP16. Consumer boards reach that densely, because
    # they halve the rate of FP16 when they accumulate in FP32.
    halved = {"rtx-2080ti", "rtx-3090", "rtx-4090"}
    for slug in set(gpus_with("peak_fp16", "peak_int8")) - halved:
        assert value(slug, "peak_int8") <= 2.1 * value(slug, "peak_fp16"), slug


def test_boards_without_matrix_units_claim_no_fp16_they_do_not_have() -> None:
    assert all("peak_fp16" not in GPUS[slug] for slug in ("titan-xp", "gtx-1080ti", "p4"))


def test_clocks_and_caches_are_ordered() -> None:
    for slug in gpus_with("base_clock"):
        assert value(slug, "base_clock") < value(slug, "boost_clock"), slug
    for slug in gpus_with("shared_memory"):
        assert value(slug, "shared_memory") < value(slug, "l1_capacity"), slug
    for slug in GPUS:
        assert value(slug, "l2_capacity") < value(slug, "memory_capacity") / 100, slug


def test_host_bandwidth_doubles_per_pcie_generation_and_is_assumed() -> None:
    gen3, gen4, gen5 = "v100-pcie-16gb", "a100-pcie-40gb", "h100-pcie-80gb"
    assert [value(slug, "host_bandwidth") for slug in (gen3, gen4, gen5)] == [12e9, 24e9, 48e9]
    assert {value(slug, "host_bandwidth") for slug in GPUS} == {12e9, 24e9, 48e9}
    assert {number(slug, "host_bandwidth").source.kind for slug in GPUS} == {"assumed"}


def test_nvlink_is_one_direction_and_its_note_gives_both() -> None:
    for slug in gpus_with("nvlink_bandwidth"):
        both = 2 * value(slug, "nvlink_bandwidth") / units.GB
        assert number(slug, "nvlink_bandwidth").note.startswith(f"{both:.0f} both directions")
        assert value(slug, "host_bandwidth") < value(slug, "nvlink_bandwidth")


def test_l1_capacity_is_that_of_the_compute_capability() -> None:
    for slug in gpus_with("l1_capacity"):
        assert value(slug, "l1_capacity") == L1[value(slug, "compute_capability")] * 1024, slug


@pytest.mark.parametrize("family", ["p100", "v100", "a100"])
def test_boards_with_one_chip_agree_on_the_chip(family: str) -> None:
    boards = [slug for slug in GPUS if slug.startswith(family)]
    for field in ("multiprocessors", "l2_capacity", "die_area", "compute_capability"):
        assert len({value(slug, field) for slug in boards}) == 1, field


@pytest.mark.parametrize("field", ["lut", "ff", "bram36", "uram", "dsp"])
def test_a_kernel_never_gets_more_than_the_device_has(field: str) -> None:
    both = [slug for slug, row in FPGAS.items() if {field, f"device_{field}"} <= row.keys()]
    assert "u280" in both
    for slug in both:
        assert value(slug, field) <= value(slug, f"device_{field}"), slug


def test_on_chip_capacity_is_that_of_the_counted_blocks() -> None:
    counted = [slug for slug, row in FPGAS.items() if "onchip_capacity" in row]
    assert len(counted) == 10
    for slug in counted:
        blocks = value(slug, "bram36") * 36 * 1024 / 8 + value(slug, "uram") * 288 * 1024 / 8
        # The catalog keeps two decimals of a MiB.
        assert value(slug, "onchip_capacity") == pytest.approx(blocks, abs=0.0051 * units.MiB)


def test_flip_flops_come_two_to_a_lut() -> None:
    for slug in (slug for slug, row in FPGAS.items() if "ff" in row):
        # FINN rounds the U55C regions to thousands.
        assert value(slug, "ff") == pytest.approx(2 * value(slug, "lut"), rel=0.002), slug


def test_measured_hbm_bandwidth_stays_below_the_theoretical() -> None:
    assert value("u280", "hbm_bandwidth_measured") < value("u280", "hbm_bandwidth")


def test_ports_and_link_bandwidth_are_known_together() -> None:
    linked = {slug for slug, row in FPGAS.items() if "link_bandwidth" in row}
    assert linked == {slug for slug, row in FPGAS.items() if "qsfp_ports" in row}
    assert {value(slug, "link_bandwidth") for slug in linked} == {100e9 / 8}
