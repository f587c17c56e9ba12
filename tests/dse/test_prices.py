"""A person's own prices: read strictly, laid over the shipped list, and gone after the context."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import documents, prices, registry, verbs
from dse.errors import InputError
from dse.provenance import Number
from dse.spec import Config, Real, Unit, knobs, leaf
from dse.store import find
from dse.study import build, load

OWN: Mapping[str, object] = MappingProxyType(
    {
        "date": "2026-12-01",
        "prices": {
            "u280": {"value": 5000, "unit": "USD"},
            "mi300x": {"value": 12, "unit": "k$", "source": "shop", "note": "used"},
        },
        "rates": {"electricity": {"value": 0.3, "unit": "USD/kWh"}},
        "sources": {"shop": {"where": "a shop around the corner", "kind": "text"}},
    }
)
STUDY: Mapping[str, object] = MappingProxyType(
    {
        "question": "which board is cheapest?",
        "model": "dfx",
        "space": {"fpga": ["u280", "u55c"], "fpgas": [1, 2, 4]},
        "objectives": ["cost", "latency"],
    }
)
SEED = settings(derandomize=True, deadline=None, max_examples=50)


def listed(slug: str) -> Number:
    return cast("Number", registry.prices().tables["prices"]["prices"][slug])


def refused(**changes: object) -> str:
    with pytest.raises(InputError) as caught:
        registry.overlay({**OWN, **changes}, place="own.yaml")
    return str(caught.value)


def refused_price(entry: object) -> str:
    return refused(prices={"u280": entry})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(documents.dump(OWN))
    return path


def cost(**options: Any) -> float:
    answer = verbs.evaluate("dfx", {"fpga": "u280", "fpgas": 1}, **options)
    return cast("float", answer["metrics"]["cost"]["value"])


def test_an_entry_replaces_the_shipped_price_and_the_others_stay(file: Path) -> None:
    shipped = dict(registry.prices().tables["prices"]["prices"])
    with registry.priced_by(file):
        laid = dict(registry.prices().tables["prices"]["prices"])
    assert laid.keys() == shipped.keys() | {"mi300x"}
    assert {slug for slug in shipped if laid[slug] != shipped[slug]} == {"u280"}


def test_an_entry_adds_a_price_to_a_device_that_had_none(file: Path) -> None:
    assert "price" not in registry.catalog("gpus")["mi300x"]
    with registry.priced_by(file):
        assert registry.catalog("gpus")["mi300x"]["price"] == 12000
        assert listed("mi300x").source.where == "a shop around the corner"


def test_a_number_without_a_source_is_assumed_and_names_its_file(file: Path) -> None:
    with registry.priced_by(file):
        assert listed("u280").source == prices.provenance.Source("own.yaml", "assumed")


def test_an_overlay_ends_with_its_context_even_after_a_mistake(file: Path) -> None:
    shipped = registry.prices()
    with pytest.raises(InputError, match="unknown catalog"), registry.priced_by(file):
        registry.devices("gpuz" if registry.prices() != shipped else "gpus")
    assert registry.prices() == shipped
    assert prices.in_force() is None


def test_an_inner_overlay_wins_and_the_outer_one_comes_back(file: Path) -> None:
    inner = registry.overlay(
        {"date": "2027-01-01", "prices": {"u280": {"value": 1, "unit": "USD"}}}
    )
    with registry.priced_by(file):
        with registry.priced_by(inner):
            assert listed("u280").value == 1
            assert "mi300x" not in registry.prices().tables["prices"]["prices"]
        with registry.priced_by(None):
            assert listed("u280").value == 5000
        assert listed("u280").value == 5000


def test_another_thread_keeps_the_shipped_prices(file: Path) -> None:
    seen: list[float] = []
    with registry.priced_by(file):
        thread = threading.Thread(target=lambda: seen.append(listed("u280").value))
        thread.start()
        thread.join()
    assert seen == [7795]


def test_cached_records_are_never_those_of_other_prices(file: Path) -> None:
    before, own, after = cost(), cost(prices=file), cost()
    assert (before, own, after) == (7795, 5000, 7795)
    with registry.priced_by(file):
        assert cost() == 5000


def test_prices_are_dated_in_words(file: Path) -> None:
    shipped = registry.prices()
    assert prices.in_words(shipped) == shipped.paper["date"]
    with registry.priced_by(file):
        words = prices.in_words(registry.prices())
    assert words == f"{shipped.paper['date']}, 3 overlaid from own.yaml of 2026-12-01"


def test_a_date_may_stand_without_quotes() -> None:
    assert registry.overlay({**OWN, "date": date(2026, 12, 1)}).date == "2026-12-01"


@SEED
@given(
    values=st.dictionaries(
        st.sampled_from(["u280", "t4", "epyc-7502", "samsung-pm1735-u2"]),
        st.floats(min_value=1e-9, max_value=1e12),
        min_size=1,
    ),
    rate=st.floats(min_value=1e-6, max_value=1e6),
    note=st.text(st.characters(categories=["L", "N"])),
)
def test_what_an_echo_keeps_reads_back_as_the_same_overlay(
    values: dict[str, float], rate: float, note: str
) -> None:
    entries = {slug: {"value": v, "unit": "USD", "note": note} for slug, v in values.items()}
    rates = {"electricity": {"value": rate, "unit": "USD/kWh"}}
    own = registry.overlay(
        {"date": "2026-12-01", "prices": entries, "rates": rates}, place="own.yaml"
    )
    echoed = documents.parse(documents.dump(own.document))
    assert registry.overlay(cast("Mapping[str, object]", echoed), place="elsewhere") == own


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ({"value": -5, "unit": "USD"}, "`value > 0` must hold, got -5"),
        ({"value": 0, "unit": "USD"}, "`value > 0` must hold, got 0"),
        ({"value": float("nan"), "unit": "USD"}, "must be a finite number, got nan"),
        ({"value": float("inf"), "unit": "USD"}, "must be a finite number, got inf"),
        ({"value": "much", "unit": "USD"}, "must be a finite number, got 'much'"),
        ({"value": True, "unit": "USD"}, "must be a finite number, got True"),
        ({"value": 5}, "no ['unit']"),
        ({"unit": "USD"}, "no ['value']"),
        ({"value": 5, "unit": "W"}, "must be in USD, got 'W'"),
        ({"value": 5, "unit": "EUR"}, "unknown unit 'EUR'"),
        ({"value": 5, "unit": "USD", "sorce": "shop"}, "did you mean source?"),
        ({"value": 5, "unit": "USD", "source": "shopp"}, "did you mean shop?"),
        (5, "must read {value: 1200, unit: USD}, got 5"),
        (None, "must read {value: 1200, unit: USD}, got None"),
    ],
)
def test_what_is_no_price_is_refused_in_one_line_with_its_place(entry: object, hint: str) -> None:
    line = refused_price(entry)
    assert line.startswith("own.yaml: prices.u280: ")
    assert hint in line


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"prices": {"u281": {"value": 5, "unit": "USD"}}}, "unknown device 'u281'; did you mean"),
        (
            {"rates": {"hots": {"value": 5, "unit": "USD"}}},
            "unknown rate 'hots'; did you mean host",
        ),
        ({"rates": {"electricity": {"value": 5, "unit": "USD"}}}, "must be in USD/J, got 'USD'"),
        ({"pricse": {}}, "unknown section 'pricse'; did you mean prices?"),
        ({"prices": [1]}, "prices: must hold"),
        ({"prices": {}, "rates": {}}, "holds no prices and no rates"),
        ({"date": ""}, "date: prices are dated, got ''"),
        ({"date": "last May"}, "got 'last May'; write date: 2026-01-31"),
    ],
)
def test_what_is_no_price_list_is_refused_in_one_line(changes: Any, hint: str) -> None:
    line = refused(**changes)
    assert line.startswith("own.yaml: ")
    assert hint in line


def test_a_rate_is_the_default_of_the_knob_of_its_name_and_a_setting_wins(file: Path) -> None:
    page = registry.model("codesign")
    with registry.priced_by(file):
        assert registry.configure(page).electricity == pytest.approx(0.3 / 3.6e6)  # type: ignore[attr-defined]
        given = registry.configure(page, {"electricity": "0.1 $/kWh"})
    assert given.electricity == pytest.approx(0.1 / 3.6e6)  # type: ignore[attr-defined]
    assert registry.configure(page).electricity == pytest.approx(0.15 / 3.6e6)  # type: ignore[attr-defined]


def test_a_rate_is_no_default_of_a_knob_in_another_unit(file: Path) -> None:
    class Odd(Config):
        electricity: Annotated[Real, Unit("1")] = leaf(0.5)

    page = replace(registry.model("dfx"), config=Odd)
    with registry.priced_by(file):
        assert registry.starting_point(page).electricity == 0.5  # type: ignore[attr-defined]
        assert any("'electricity'" in line for line in registry.idle_rates(page))


def test_a_rate_that_a_page_does_not_read_is_said_and_not_swallowed(file: Path) -> None:
    line = "the rate 'electricity' of own.yaml is no knob of the page 'dfx' and changes nothing"
    assert line in verbs.evaluate("dfx", prices=file)["warnings"]
    assert line not in verbs.evaluate("dfx")["warnings"]
    with registry.priced_by(file):
        assert line in build("s", STUDY, place="s").warnings


def test_a_knob_named_after_a_rate_has_its_unit() -> None:
    rates = registry.prices().parameters
    for slug in registry.slugs():
        for path, knob in knobs(registry.model(slug).config).items():
            name = path.rpartition(".")[2]
            if name in rates and knob.catalog is None:
                assert knob.unit == rates[name].unit, f"{slug}: {path}"


def test_a_study_keeps_the_prices_in_force_in_its_echo(file: Path) -> None:
    with registry.priced_by(file):
        made = build("s", STUDY, place="s")
    echoed = build("s", made.document, place="s")
    assert echoed.prices == made.prices
    assert echoed.document == made.document
    assert [row.price for row in echoed.space.axes[0].rows] == [5000, 4395]  # type: ignore[attr-defined]
    assert "prices" not in build("s", STUDY, place="s").document


def test_a_study_may_hold_its_own_prices_and_a_file_takes_their_place(
    tmp_path: Path, file: Path
) -> None:
    own = {"date": "2026-11-30", "prices": {"u55c": {"value": 1, "unit": "USD"}}}
    path = tmp_path / "boards.yaml"
    path.write_text(documents.dump({**STUDY, "prices": own}))
    assert prices.in_words(load(str(path)).prices).endswith(
        "1 overlaid from boards.yaml of 2026-11-30"
    )
    rows = load(str(path), prices=file).space.axes[0].rows
    assert [row.price for row in rows] == [5000, 4395]  # type: ignore[attr-defined]


def test_a_mistake_in_a_studys_prices_names_the_study() -> None:
    own = {"date": "2026-11-30", "prices": {"u281": {"value": 1, "unit": "USD"}}}
    with pytest.raises(InputError, match=r"s\.yaml: prices: prices: unknown device 'u281'"):
        build("s", {**STUDY, "prices": own}, place="s.yaml")


@pytest.mark.parametrize("pool", ["threads", "processes"])
def test_a_search_prices_alike_in_threads_in_processes_and_when_it_is_run_again(
    tmp_path: Path, file: Path, pool: Any
) -> None:
    path = tmp_path / "boards.yaml"
    path.write_text(documents.dump(STUDY))
    ended = verbs.search(str(path), prices=file, jobs=2, pool=pool, output=tmp_path / "run")
    table = ended.run.designs()
    boards = {"u280": 5000.0, "u55c": 4395.0}
    price = [boards[slug] for slug in table.words("fpga")]
    assert table["cost"].tolist() == (table["fpgas"] * price).tolist()
    again = verbs.search(str(ended.run.path / "config.yaml"), output=tmp_path / "again")
    assert (again.run.path / "front.csv").read_text() == (ended.run.path / "front.csv").read_text()
    assert find(str(again.run.path)).study().prices == ended.archive.study.prices


def test_a_resumed_run_keeps_its_prices_and_takes_no_others(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "boards.yaml"
    path.write_text(documents.dump(STUDY))
    ended = verbs.search(str(path), prices=file, output=tmp_path / "run")
    resumed = verbs.search("", resume=str(ended.run.path))
    assert resumed.archive.study.prices == ended.archive.study.prices
    with pytest.raises(InputError, match="drop --set, --prices and the search options"):
        verbs.search("", resume=str(ended.run.path), prices=file)


def test_a_sweep_is_priced_by_the_file(file: Path) -> None:
    swept = verbs.sweep("dfx", {"fpga": "u280,u55c"}, {"fpgas": 1}, prices=file)
    assert dict(zip(swept["fpga"], swept["cost"], strict=True)) == {"u280": 5000, "u55c": 4395}
