"""The price list: dated dollars of devices in the catalog, absent where no price is known."""

from datetime import date
from typing import cast

import pytest

from dse import registry
from dse.provenance import Number

SHEET = registry.prices()
PRICES = {slug: cast("Number", n) for slug, n in SHEET.tables["prices"]["prices"].items()}
CATALOG = {slug for kind in registry.device_kinds() for slug in registry.devices(kind)}


def test_prices_are_of_devices_in_the_catalog() -> None:
    assert PRICES.keys() <= CATALOG


def test_prices_are_dated_dollars_and_say_that_they_are_assumed() -> None:
    assert date.fromisoformat(SHEET.paper["date"]) >= date(2026, 1, 1)
    assert "assumed" in SHEET.paper["note"].lower()
    assert {price.unit for price in PRICES.values()} == {"USD"}


def test_quoted_and_assumed_prices_are_told_apart() -> None:
    quoted = {"v100-pcie-16gb": 11458, "u280": 7795}
    assumed = {"a100-pcie-40gb": 10000, "t4": 2000, "a10": 2800, "l4": 2500}
    assumed["h100-pcie-80gb"] = 25000
    assert {slug: PRICES[slug].value for slug in quoted | assumed} == quoted | assumed
    assert {PRICES[slug].source.kind for slug in quoted} == {"memory"}
    assert {PRICES[slug].source.kind for slug in assumed} == {"assumed"}


def test_list_prices_are_those_of_the_launch() -> None:
    gpus = {"titan-v": 2999, "titan-xp": 1200, "gtx-1080ti": 699, "rtx-2080ti": 999}
    gpus |= {"titan-rtx": 2499, "rtx-3090": 1499, "rtx-4090": 1599}
    fpgas = {"u200": 8995, "u50": 2495, "u55c": 4395, "vck190": 11995, "vck5000": 2745}
    assert {slug: PRICES[slug].value for slug in gpus | fpgas} == gpus | fpgas


def test_prices_of_cpus_are_those_of_the_lists() -> None:
    launch = {"xeon-6244": 2925, "xeon-8280": 10009, "xeon-e5-2690v4": 2090, "i9-9900k": 488}
    listed = {"epyc-9654": 11805, "epyc-7763": 7890, "epyc-7502": 2600, "epyc-7601": 3270}
    assert {slug: PRICES[slug].value for slug in launch | listed} == launch | listed
    assert {PRICES[slug].source.kind for slug in launch} == {"memory"}
    assert {PRICES[slug].source.kind for slug in listed} == {"secondary"}
    assert "not that of the launch" in PRICES["epyc-7502"].source.where


def test_prices_of_drives_are_those_of_the_tables() -> None:
    read = {"samsung-pm1725b-1.6tb-u2": 400, "intel-optane-p4800x-375gb": 1520}
    read |= {"samsung-980pro-250gb": 89.99, "samsung-980pro-500gb": 149.99}
    read |= {"samsung-980pro-1000gb": 229.99, "intel-optane-p5800x-400gb": 1224}
    recalled = {"samsung-970pro-1tb": 499.99, "samsung-983zet-960gb": 1999.99}
    assert {slug: PRICES[slug].value for slug in read | recalled} == read | recalled
    assert {PRICES[slug].source.kind for slug in read} == {"secondary", "table"}
    assert {PRICES[slug].source.kind for slug in recalled} == {"memory"}
    assert PRICES["samsung-pm1725a-6.4tb-aic"].value == pytest.approx(0.19 * 6400, rel=1e-12)


def test_of_gpus_and_fpgas_only_one_list_price_was_read_in_a_source() -> None:
    boards = registry.devices("gpus").keys() | registry.devices("fpgas").keys()
    unread = {"memory", "assumed"}
    read = {slug for slug in boards & PRICES.keys() if PRICES[slug].source.kind not in unread}
    assert read == {"rtx-4090"}


def test_a_device_without_a_price_is_absent_instead_of_free() -> None:
    unpriced = {"b200-sxm", "mi300x", "a100-sxm-80gb", "u250", "a40", "p4"}
    unpriced |= {"xeon-8480-plus", "samsung-pm1735-u2", "tlc", "pcie3-x16"}
    assert unpriced <= CATALOG - PRICES.keys()
    assert min(price.value for price in PRICES.values()) > 0


def test_rates_are_electricity_a_host_a_machine_hour_and_a_drive_and_its_flash() -> None:
    rates = SHEET.parameters
    assert rates.keys() == {"electricity", "host", "machine_hour", "controller", "flash"}
    assert rates["electricity"].value == pytest.approx(0.15 / 3.6e6, rel=1e-12)
    assert rates["machine_hour"].value == pytest.approx(2 / 3600, rel=1e-12)
    assert rates["flash"].value == pytest.approx(120e-12, rel=1e-12)
    assert (rates["host"].value, rates["controller"].value) == (4000, 150)
    assert {rate.source.kind for rate in rates.values()} == {"assumed"}
