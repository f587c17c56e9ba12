"""The price list: dated dollars of devices in the catalog, absent where no price is known."""

from datetime import date
from typing import cast

import pytest

from dse import registry
from dse.provenance import Number

SHEET = registry.prices()
PRICES = {slug: cast("Number", n) for slug, n in SHEET.tables["prices"]["prices"].items()}
CATALOG = registry.devices("gpus").keys() | registry.devices("fpgas").keys()


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


def test_only_one_list_price_was_read_in_a_source() -> None:
    unread = {"memory", "assumed"}
    read = {slug for slug, price in PRICES.items() if price.source.kind not in unread}
    assert read == {"rtx-4090"}


def test_a_device_without_a_price_is_absent_instead_of_free() -> None:
    unpriced = {"b200-sxm", "mi300x", "a100-sxm-80gb", "u250", "a40", "p4"}
    assert unpriced <= CATALOG - PRICES.keys()
    assert min(price.value for price in PRICES.values()) > 0


def test_rates_are_electricity_a_host_and_a_machine_hour() -> None:
    rates = SHEET.parameters
    assert rates.keys() == {"electricity", "host", "machine_hour"}
    assert rates["electricity"].value == pytest.approx(0.15 / 3.6e6, rel=1e-12)
    assert rates["machine_hour"].value == pytest.approx(2 / 3600, rel=1e-12)
    assert rates["host"].value == 4000
    assert {rate.source.kind for rate in rates.values()} == {"assumed"}
