"""Drives: the published tables, the conflicts between them, and the rules of endurance."""

from typing import cast

import pytest

from dse import registry, units
from dse.provenance import Number

SSDS = registry.devices("ssds")
LINKS = registry.devices("links")

# GB/s read, GB/s written, requests/s read, requests/s written: as printed; None is unknown.
PRINTED: dict[str, tuple[float, float, float, float | None]] = {
    "samsung-pm1725a-6.4tb-aic": (6.2, 2.6, 1_000_000, 180_000),
    "samsung-pm1725a-u2": (3.3, 3.0, 800_000, 160_000),
    "samsung-pm1725b-1.6tb-u2": (3.5, 2.0, 800_000, None),
    "samsung-pm1735-aic": (8.0, 3.8, 1_450_000, 260_000),
    "samsung-970pro-512gb": (3.5, 2.3, 370_000, 500_000),
    "samsung-980pro-1000gb": (7.0, 5.0, 1_000_000, 1_000_000),
    "samsung-990pro-4tb": (7.45, 6.9, 1_600_000, 1_550_000),
    "samsung-pm9a3-u2": (6.5, 3.5, 900_000, 200_000),
    "intel-optane-p4800x-375gb": (2.4, 2.0, 550_000, 500_000),
    "intel-optane-p5800x-400gb": (7.2, 4.8, 1_500_000, None),
    "intel-p4500-4tb": (3.2, 1.8, 645_000, 62_500),
    "solidigm-d7-p5810": (6.4, 4.0, 865_000, 495_000),
    "kioxia-fl6": (6.2, 5.8, 1_500_000, 400_000),
    "kioxia-cm7-v": (14.0, 6.75, 2_700_000, 600_000),
    "samsung-bm1743-61tb": (7.2, 2.0, 1_600_000, 110_000),
    "samsung-pm9d3a-7.68tb": (12.0, 6.8, 2_000_000, 250_000),
}

# Drive, field, the value that won in the file's unit, and what the note says of the others.
CONFLICTS = (
    ("samsung-pm1725b-1.6tb-u2", "drive_writes_per_day", 3, "3.01"),
    ("samsung-pm1725b-aic", "drive_writes_per_day", 3, "5 in a Korean table"),
    ("samsung-pm9a3-u2", "read_bandwidth", 6.5e9, "6.9"),
    ("samsung-pm9a3-u2", "write_bandwidth", 3.5e9, "4.1"),
    ("samsung-pm9a3-u2", "read_iops", 900_000, "1100000"),
    ("samsung-pm9a3-u2", "drive_writes_per_day", 1.3, "1 in the later"),
    ("samsung-970pro-512gb", "written_limit", 600e12, "1200"),
    ("intel-optane-p5800x-1.6tb", "write_bandwidth", 6.1e9, "6.5"),
    ("solidigm-d5-p5336-122tb", "read_bandwidth", 7.4e9, "7.0"),
    ("solidigm-d5-p5336-122tb", "write_bandwidth", 3.2e9, "3.0"),
)


def number(slug: str, field: str) -> Number:
    return cast("Number", SSDS[slug][field])


def value(slug: str, field: str) -> float:
    """A number in SI."""
    return number(slug, field).value


def drives_with(*fields: str) -> list[str]:
    return [slug for slug, row in SSDS.items() if set(fields) <= row.keys()]


@pytest.mark.parametrize("slug", PRINTED)
def test_numbers_are_those_in_the_published_table(slug: str) -> None:
    read, written, reads, writes = PRINTED[slug]
    assert value(slug, "read_bandwidth") == pytest.approx(read * units.GB, rel=1e-12)
    assert value(slug, "write_bandwidth") == pytest.approx(written * units.GB, rel=1e-12)
    assert value(slug, "read_iops") == reads
    assert ("write_iops" in SSDS[slug]) == (writes is not None)
    assert writes is None or value(slug, "write_iops") == writes


@pytest.mark.parametrize(("slug", "field", "won", "lost"), CONFLICTS)
def test_a_conflict_is_resolved_and_its_note_names_the_losing_value(
    slug: str, field: str, won: float, lost: str
) -> None:
    assert value(slug, field) == pytest.approx(won, rel=1e-12)
    assert lost in number(slug, field).note


def test_every_drive_says_how_fast_it_reads_and_writes() -> None:
    assert set(drives_with("read_bandwidth", "write_bandwidth", "read_iops")) == SSDS.keys()


def test_no_drive_is_faster_than_its_link() -> None:
    linked = drives_with("link_generation", "link_lanes")
    assert len(linked) == 35
    for slug in linked:
        name = f"pcie{value(slug, 'link_generation'):.0f}-x{value(slug, 'link_lanes'):.0f}"
        most = cast("Number", LINKS[name]["bandwidth"]).value
        assert value(slug, "read_bandwidth") <= most, slug
        assert value(slug, "write_bandwidth") <= most, slug


def test_drives_write_no_faster_than_they_read() -> None:
    for slug in SSDS:
        assert value(slug, "write_bandwidth") <= value(slug, "read_bandwidth"), slug


def test_what_may_be_written_is_writes_a_day_times_capacity_over_the_warranty() -> None:
    told = drives_with("written_limit", "drive_writes_per_day", "warranty", "capacity")
    # Makers round either number: 8.5 for 8.45 (983 ZET), 0.65 for 0.663 (P4500), 10 for 9.99.
    rounding = {
        "samsung-983zet-480gb": 0.01,
        "intel-p4500-4tb": 0.021,
        "samsung-983zet-960gb": 0.01,
    }
    assert rounding.keys() <= set(told)
    for slug in told:
        days = 365 * value(slug, "warranty") / units.YEAR
        written = value(slug, "drive_writes_per_day") * value(slug, "capacity") * days
        within = rounding.get(slug, 1e-9)
        assert value(slug, "written_limit") == pytest.approx(written, rel=within), slug


def test_the_rule_of_endurance_is_marked_as_derived_where_it_was_used() -> None:
    ruled = {
        slug
        for slug in drives_with("written_limit")
        if number(slug, "written_limit").source.kind == "derived"
    }
    assert "samsung-pm1725a-6.4tb-aic" in ruled
    assert "samsung-pm1725b-1.6tb-u2" not in ruled
    assert value("samsung-pm1725b-1.6tb-u2", "written_limit") == 8760e12


def test_a_drive_has_one_capacity_or_the_range_of_its_family() -> None:
    ranged = drives_with("smallest_capacity", "largest_capacity")
    assert not set(ranged) & set(drives_with("capacity"))
    for slug in ranged:
        assert value(slug, "smallest_capacity") < value(slug, "largest_capacity"), slug


def test_a_written_limit_is_that_of_one_capacity() -> None:
    assert set(drives_with("written_limit")) <= set(drives_with("capacity"))


def test_cells_are_of_known_classes() -> None:
    cells = {str(SSDS[slug]["cell"]) for slug in drives_with("cell")}
    assert cells == {"SLC", "MLC", "TLC", "QLC", "3D XPoint"}


def test_fewer_bits_a_cell_never_bear_fewer_writes_a_day() -> None:
    def writes(cell: str) -> list[float]:
        rated = drives_with("cell", "drive_writes_per_day")
        return [
            value(slug, "drive_writes_per_day") for slug in rated if SSDS[slug]["cell"] == cell
        ]

    assert min(writes("SLC")) > max(writes("TLC"))
    assert min(writes("TLC")) > max(writes("QLC"))


@pytest.mark.parametrize(
    "slug",
    ["intel-optane-905p-960gb", "intel-p4510-4tb", "intel-p5510-7.68tb", "samsung-983zet-480gb"],
)
def test_a_drive_known_only_from_memory_says_so_at_every_number(slug: str) -> None:
    kinds = {f: n.source.kind for f, n in SSDS[slug].items() if isinstance(n, Number)}
    derived = {field for field, kind in kinds.items() if kind == "derived"}
    assert derived <= {"capacity", "written_limit"}
    assert {kind for field, kind in kinds.items() if field not in derived} == {"memory"}
