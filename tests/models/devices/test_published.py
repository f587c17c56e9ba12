"""The catalog's numbers against published tables, and the conflicts between those tables.

Expected values are typed in by hand, in the units printed there, so a slip in the catalog's
own files shows here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, cast

import pytest

import models.devices
from dse import documents, registry
from dse.provenance import Number, Row

Table: TypeAlias = Mapping[str, Mapping[str, Mapping[str, float]]]

ROWS: Mapping[str, Row] = {**registry.devices("gpus"), **registry.devices("fpgas")}
FOLDER = Path(models.devices.__file__).parent
WRITTEN = {
    slug: row
    for kind in ("gpus", "fpgas")
    for slug, row in cast("Table", documents.read(FOLDER / f"{kind}.yaml")["devices"]).items()
}

# Values as printed, read by hand in the tables of the fact base.
SPOTS: dict[str, dict[str, float]] = {
    "p100-pcie-16gb": {"peak_fp32": 9.53, "memory_bandwidth": 732, "multiprocessors": 56},
    "v100-pcie-16gb": {
        "peak_fp32": 14.13,
        "memory_bandwidth": 900,
        "memory_capacity": 16,
        "boost_clock": 1380,
    },
    "v100-pcie-32gb": {"memory_capacity": 32, "power": 250, "peak_fp16": 112},
    "rtx-2080ti": {"peak_fp32": 13.45, "memory_capacity": 11, "memory_bandwidth": 616},
    "t4": {"peak_fp16": 65.13, "peak_int8": 130.25, "power": 70},
    "rtx-3090": {"peak_fp32": 35.58, "memory_bandwidth": 936.2, "l2_capacity": 6},
    "rtx-4090": {"peak_fp32": 82.58, "memory_bandwidth": 1008, "l2_capacity": 72, "power": 450},
    "rtx-a6000": {"peak_int8": 309.7, "memory_capacity": 48, "multiprocessors": 84},
    "a10": {"peak_fp32": 31.24, "memory_bandwidth": 600.2, "power": 150},
    "a40": {
        "peak_fp32": 37.42,
        "peak_fp16": 149.7,
        "memory_bandwidth": 696,
        "multiprocessors": 84,
        "base_clock": 1305,
        "boost_clock": 1740,
        "l2_capacity": 6,
        "power": 300,
    },
    "p4": {
        "peak_fp32": 5.7,
        "multiprocessors": 20,
        "base_clock": 886,
        "boost_clock": 1113,
        "memory_bandwidth": 192,
        "power": 75,
    },
    "a100-pcie-40gb": {"peak_tf32": 156, "peak_fp16": 312, "power": 250},
    "a100-sxm-80gb": {"peak_bf16": 312, "boost_clock": 1410, "power": 400},
    "l4": {"memory_bandwidth": 300.1, "boost_clock": 2040, "power": 72},
    "l40s": {"peak_fp32": 91.61, "peak_fp16": 362, "memory_bandwidth": 864},
    "h100-pcie-80gb": {"peak_fp16": 756, "multiprocessors": 114, "power": 350},
    "h100-sxm-80gb": {"peak_fp8": 1979, "multiprocessors": 132, "power": 700},
    "h200-sxm-141gb": {"memory_capacity": 141, "peak_fp32": 67, "l2_capacity": 50},
    "mi210": {"peak_fp16": 181, "memory_bandwidth": 1638, "multiprocessors": 104},
    "mi300x": {"memory_capacity": 192, "peak_fp8": 2610, "power": 750},
    "u280": {
        "lut": 1163520,
        "uram": 960,
        "device_ff": 2607360,
        "hbm_capacity": 8,
        "ddr_capacity": 32,
        "ddr_bandwidth": 38.4,
        "power": 225,
    },
    "u250": {"dsp": 11520, "onchip_capacity": 55.12, "ddr_bandwidth": 77},
    "u50": {"lut": 742560, "dsp": 5352, "power": 75},
    "u55c": {"bram36": 1776, "hbm_bandwidth": 460, "power": 150},
    "zynq-7020": {"lut": 53200, "dsp": 220, "uram": 0},
}

# Device, field, the value that won, and what the note must say of the value that lost.
CONFLICTS = (
    ("v100-sxm2-16gb", "boost_clock", 1530, "1597"),
    ("v100-sxm2-16gb", "memory_bandwidth", 900, "1130"),
    ("v100-sxm2-16gb", "power", 300, "250 W"),
    ("v100-sxm2-16gb", "peak_fp16", 125, "120"),
    ("v100-pcie-16gb", "power", 250, "300 W"),
    ("v100-pcie-16gb", "peak_fp16", 112, "113.0"),
    ("rtx-2080ti", "peak_fp16", 53.8, "107.6"),
    ("rtx-3090", "peak_fp16", 71.2, "142.3"),
    ("rtx-4090", "peak_fp16", 165.15, "330.3"),
    ("rtx-4090", "peak_fp8", 330.3, "660"),
    ("rtx-4090", "peak_int8", 660.6, "1321"),
    ("a100-pcie-40gb", "memory_bandwidth", 1555, "1560"),
    ("a100-sxm-40gb", "memory_bandwidth", 1555, "1560"),
    ("a100-pcie-80gb", "memory_bandwidth", 1935, "1940"),
    ("a100-pcie-80gb", "l2_capacity", 40, "80"),
    ("a100-sxm-80gb", "memory_bandwidth", 2039, "2000 and 2048"),
    ("l4", "peak_fp32", 30.29, "31.33"),
    ("l4", "peak_fp16", 121, "125.3"),
    ("l4", "peak_tf32", 60.6, "62.67"),
    ("l4", "multiprocessors", 58, "60"),
    ("l40s", "power", 350, "300 W"),
    ("h100-pcie-80gb", "memory_bandwidth", 2000, "2040"),
    ("h100-sxm-80gb", "memory_bandwidth", 3350, "3072 and 3360"),
    ("h100-sxm-80gb", "boost_clock", 1980, "1830 MHz"),
    ("h100-sxm-80gb", "peak_fp16", 989, "1070"),
    ("h100-sxm-80gb", "peak_int8", 1979, "3958"),
    ("h200-sxm-141gb", "memory_bandwidth", 4800, "4890"),
    ("b200-sxm", "memory_capacity", 180, "192"),
    ("b200-sxm", "memory_bandwidth", 8000, "4100"),
    ("b200-sxm", "l2_capacity", 126, "50"),
    ("mi210", "l2_capacity", 8, "16"),
    ("mi250x", "power", 560, "500 W"),
    ("mi300x", "memory_bandwidth", 5300, "10300"),
    ("mi300x", "peak_fp16", 1307, "653.7"),
    ("u280", "hbm_bandwidth_measured", 425, "92.4 %"),
    ("u50", "hbm_bandwidth", 316, "460"),
    ("agilex7-m", "hbm_bandwidth", 1000, "820"),
    ("vck190", "peak_int8", 128, "133"),
)

# What the fact base marks as not read in any source.
FROM_MEMORY: dict[str, tuple[str, ...]] = {
    "p100-pcie-16gb": ("peak_fp16",),
    "v100-pcie-16gb": ("power",),
    "v100-sxm2-16gb": ("peak_fp32", "peak_fp16"),
    "v100-sxm2-32gb": ("peak_fp16", "power"),
    "titan-v": ("peak_fp16",),
    "rtx-3090": ("peak_tf32", "peak_int8"),
    "a10": ("peak_int8",),
    "l4": ("peak_fp16", "peak_fp8", "peak_int8"),
    "mi210": ("memory_bandwidth", "peak_bf16"),
    "u280": ("ddr_bandwidth",),
    "u250": ("power", "device_lut", "device_dsp", "device_bram36", "device_uram"),
    "u200": ("ddr_bandwidth", "power"),
    "u50": ("hbm_bandwidth", "power"),
    "u55c": ("power", "device_lut"),
    "vck190": ("lut", "dsp", "bram36", "uram", "ddr_bandwidth"),
    "vck5000": ("ddr_bandwidth", "power"),
    "stratix10-mx-2100": ("dsp",),
    "stratix10-nx-2100": ("dsp", "hbm_bandwidth"),
    "agilex7-m": ("dsp",),
}


def number(slug: str, field: str) -> Number:
    return cast("Number", ROWS[slug][field])


def printed(slug: str, field: str) -> float:
    """A number in the unit of its file."""
    return WRITTEN[slug][field]["value"]


@pytest.mark.parametrize("slug", SPOTS)
def test_numbers_are_those_in_the_published_table(slug: str) -> None:
    assert {field: printed(slug, field) for field in SPOTS[slug]} == SPOTS[slug]


@pytest.mark.parametrize(("slug", "field", "won", "lost"), CONFLICTS)
def test_a_conflict_is_resolved_and_its_note_names_the_losing_value(
    slug: str, field: str, won: float, lost: str
) -> None:
    assert printed(slug, field) == won
    assert lost in number(slug, field).note


def test_v100_sxm2_comes_from_the_dell_guide_and_drops_the_refresh_part() -> None:
    for field in ("boost_clock", "memory_bandwidth", "power"):
        assert "Dell" in number("v100-sxm2-16gb", field).source.where
    assert printed("v100-sxm2-16gb", "base_clock") == printed("v100-sxm2-32gb", "base_clock")
    assert "release" not in ROWS["v100-sxm2-16gb"]


def test_the_kind_of_memory_is_resolved_and_the_note_names_the_other() -> None:
    assert ROWS["h100-pcie-80gb"]["memory_type"] == "HBM2e"
    assert "HBM3" in str(ROWS["h100-pcie-80gb"]["note"])
    for slug in ("a100-pcie-40gb", "a100-sxm-40gb"):
        assert ROWS[slug]["memory_type"] == "HBM2"
        assert "HBM2e" in str(ROWS[slug]["note"])


def test_fpga_columns_keep_the_user_region_and_the_full_device_apart() -> None:
    fields = ("lut", "dsp", "bram36")
    assert [printed("u280", field) for field in fields] == [1163520, 8496, 1752]
    assert [printed("u280", f"device_{field}") for field in fields] == [1303680, 9024, 2016]


def test_theoretical_and_measured_hbm_bandwidth_are_both_kept() -> None:
    assert printed("u280", "hbm_bandwidth") == 460
    assert printed("u280", "hbm_bandwidth_measured") == 425


def test_a_peak_on_which_sources_disagree_by_a_third_is_left_out() -> None:
    assert "peak_int8" not in ROWS["u280"]
    assert "18.6 and as 24.5" in str(ROWS["u280"]["note"])


@pytest.mark.parametrize("slug", FROM_MEMORY)
def test_what_was_not_read_in_a_source_is_marked_as_memory(slug: str) -> None:
    assert {number(slug, field).source.kind for field in FROM_MEMORY[slug]} == {"memory"}


@pytest.mark.parametrize("slug", ["a40", "p4"])
def test_a_board_known_only_from_memory_says_so_at_every_number(slug: str) -> None:
    kinds = {f: n.source.kind for f, n in ROWS[slug].items() if isinstance(n, Number)}
    assert kinds.pop("host_bandwidth") == "assumed"
    assert set(kinds.values()) == {"memory"}
