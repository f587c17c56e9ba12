"""Links: published rates, generations that double, and directions that are told apart."""

from itertools import pairwise
from typing import cast

import pytest

from dse import registry, units
from dse.provenance import Number

LINKS = registry.devices("links")
GENERATIONS = (3, 4, 5, 6)

# GB/s of one direction, as printed.
PRINTED = {
    "pcie3-x16": 15.75,
    "pcie4-x16": 31,
    "pcie5-x16": 63,
    "pcie6-x16": 121,
    "nvlink1": 80,
    "nvlink2": 150,
    "nvlink3": 300,
    "nvlink4": 450,
    "nvlink5": 900,
    "xgmi-mi250x": 350,
    "xgmi-mi300x": 448,
    "infiniband-edr": 12.5,
    "infiniband-xdr": 100,
    "qsfp28-100g": 12.5,
}


def number(slug: str, field: str) -> Number:
    return cast("Number", LINKS[slug][field])


def value(slug: str, field: str) -> float:
    """A number in SI."""
    return number(slug, field).value


def links_with(*fields: str) -> list[str]:
    return [slug for slug, row in LINKS.items() if set(fields) <= row.keys()]


@pytest.mark.parametrize("slug", PRINTED)
def test_bandwidth_is_that_in_the_published_table(slug: str) -> None:
    assert value(slug, "bandwidth") == pytest.approx(PRINTED[slug] * units.GB, rel=1e-12)


def test_every_link_has_a_bandwidth_of_one_direction() -> None:
    assert links_with("bandwidth") == list(LINKS)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_lanes_share_the_bandwidth_of_a_slot_evenly(generation: int) -> None:
    whole = value(f"pcie{generation}-x16", "bandwidth")
    for lanes in (4, 8):
        part = value(f"pcie{generation}-x{lanes}", "bandwidth")
        assert part == pytest.approx(whole * lanes / 16, rel=1e-12)
        assert number(f"pcie{generation}-x{lanes}", "bandwidth").source.kind == "derived"


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_a_generation_doubles_the_wires_and_about_doubles_what_is_left(lanes: int) -> None:
    for old, new in pairwise(GENERATIONS):
        raw = [value(f"pcie{g}-x{lanes}", "raw_bandwidth") for g in (old, new)]
        left = [value(f"pcie{g}-x{lanes}", "bandwidth") for g in (old, new)]
        assert raw[1] == 2 * raw[0]
        # The source rounds 31.5 to 31 and PCI Express 6 spends more on its packets.
        assert left[1] == pytest.approx(2 * left[0], rel=0.04)


def test_bandwidth_never_exceeds_the_wires_nor_practice_the_bandwidth() -> None:
    for slug in links_with("raw_bandwidth"):
        assert value(slug, "bandwidth") <= value(slug, "raw_bandwidth"), slug
    for slug in links_with("practical_bandwidth"):
        assert value(slug, "practical_bandwidth") < value(slug, "bandwidth"), slug


def test_practical_bandwidth_is_what_the_catalog_of_gpus_assumes() -> None:
    gpus = registry.devices("gpus")
    boards = {3: "v100-pcie-16gb", 4: "a100-pcie-40gb", 5: "h100-pcie-80gb"}
    for generation, slug in boards.items():
        host = cast("Number", gpus[slug]["host_bandwidth"]).value
        assert value(f"pcie{generation}-x16", "practical_bandwidth") == host


def test_nvlink_is_the_sum_of_its_links_and_the_note_gives_both_directions() -> None:
    for slug in (slug for slug in LINKS if slug.startswith("nvlink")):
        whole = value(slug, "links") * value(slug, "link_bandwidth")
        assert value(slug, "bandwidth") == pytest.approx(whole, rel=1e-12)
        both = 2 * value(slug, "bandwidth") / units.GB
        assert number(slug, "bandwidth").note == f"{both:.0f} both directions"


@pytest.mark.parametrize(
    ("link", "gpu"),
    [
        ("nvlink1", "p100-sxm2-16gb"),
        ("nvlink2", "v100-sxm2-16gb"),
        ("nvlink3", "a100-sxm-80gb"),
        ("nvlink4", "h100-sxm-80gb"),
        ("nvlink5", "b200-sxm"),
    ],
)
def test_nvlink_is_as_fast_as_the_catalog_of_gpus_says(link: str, gpu: str) -> None:
    board = cast("Number", registry.devices("gpus")[gpu]["nvlink_bandwidth"])
    assert value(link, "bandwidth") == board.value


def test_bits_and_bytes_of_a_port_agree() -> None:
    for slug in ("infiniband-edr", "infiniband-hdr", "infiniband-ndr", "infiniband-xdr"):
        assert value(slug, "bandwidth") == value(slug, "raw_bandwidth"), slug
    fpga = cast("Number", registry.devices("fpgas")["u280"]["link_bandwidth"])
    assert value("qsfp28-100g", "bandwidth") == fpga.value


def test_only_the_latency_that_somebody_measured_is_given() -> None:
    assert links_with("latency") == ["nvlink3"]
    assert value("nvlink3", "latency") == pytest.approx(8.92e-6, rel=1e-12)
    assert (value("nvlink3", "transfer_unit"), value("nvlink3", "largest_payload")) == (16, 256)


def test_what_is_from_memory_is_marked() -> None:
    assert number("pcie3-x16", "bandwidth").source.kind == "memory"
    assert number("pcie3-x16", "practical_bandwidth").source.kind == "memory"
    assert number("pcie5-x4", "practical_bandwidth").source.kind == "assumed"
