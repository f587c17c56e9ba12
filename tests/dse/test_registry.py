"""What has a slug is found by it, in a checkout and beside strangers of the same name."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dse import registry
from dse.errors import InputError
from dse.spec import Record
from tests.dse import toy as toys


@pytest.fixture
def fresh() -> Iterator[None]:
    """Folders are looked up again, before and after."""
    registry.folder.cache_clear()
    yield
    registry.folder.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_a_stranger_of_the_same_name_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "studies", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with pytest.raises(InputError) as caught:
        registry.folder("studies")
    assert f"but Python found {tmp_path / 'studies'}; remove that package" in str(caught.value)
    sys.modules.pop("studies")


@pytest.mark.usefixtures("fresh")
def test_in_a_wheel_the_folder_below_dse_wins(monkeypatch: pytest.MonkeyPatch):
    packaged = object()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: packaged)
    monkeypatch.setattr("importlib.import_module", lambda name: name)
    assert str(registry.folder("models")) == "dse.models"


def test_every_page_is_found_by_its_folder():
    for slug in registry.slugs():
        assert registry.model(slug).slug == slug


def test_an_unknown_page_gets_the_closest_name():
    with pytest.raises(InputError, match="unknown model 'dfz'; did you mean dfx"):
        registry.model("dfz")


def test_an_unknown_catalog_gets_the_closest_name():
    with pytest.raises(InputError, match="unknown catalog 'gpu'; did you mean gpus"):
        registry.devices("gpu")


def test_a_row_of_the_device_catalog_carries_the_listed_price_and_only_that():
    listed = registry.prices().tables["prices"]["prices"]
    rows = {
        slug: row
        for kind in registry.device_kinds()
        for slug, row in registry.catalog(kind).items()
    }
    assert any(slug in listed for slug in rows)
    for slug, row in rows.items():
        assert row["slug"] == slug
        assert ("price" in row) == (slug in listed)


def test_a_page_with_another_object_as_model_is_a_mistake_of_its_author(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(registry, "slugs", lambda: ("odd",))
    monkeypatch.setattr(registry, "module", lambda *_: type("Page", (), {"MODEL": 3}))
    with pytest.raises(TypeError, match=r"models/odd/model\.py: MODEL must be a dse"):
        registry.model("odd")
    registry.model.cache_clear()


@pytest.mark.usefixtures("toy")
class TestToy:
    def test_rows_that_a_page_cannot_read_are_left_out_with_the_reason(self):
        fit, left = registry.covered(toys.Chip, "toy.chips")
        assert list(fit) == ["tiny", "small", "large", "unpriced"]
        assert left == {"unfinished": "has no known rate"}

    def test_a_row_with_a_number_of_no_sense_is_left_out_in_one_line(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        rows = {"odd": toys.CHIPS["tiny"] | {"slug": "odd", "rate": "many"}}
        monkeypatch.setattr(registry, "catalog", lambda _: rows)
        fit, left = registry.covered(toys.Chip, "odd.chips")
        assert fit == {}
        assert left["odd"].startswith("'rate' 'many' is not a quantity in op")

    def test_settings_fill_up_with_defaults_and_slugs_become_records(self):
        config = registry.configure(toys.TOY, {"chip": "tiny", "link": {"lanes": 1}})
        assert isinstance(config, toys.Machine)
        assert (config.chip.rate, config.link.lanes, config.link.bandwidth) == (100.0, 1.0, 8e9)

    def test_an_open_group_takes_its_defaults(self):
        assert registry.configure(toys.TOY, {"link": None}) == registry.configure(toys.TOY)

    def test_a_starting_point_may_break_a_rule_and_a_design_may_not(self):
        uncovered = {"chips": 1, "link": {"lanes": 8}}
        assert not toys.few_lanes(registry.starting_point(toys.TOY, uncovered))  # type: ignore[arg-type]
        with pytest.raises(InputError, match=r"`link\.lanes <= 4 chips` must hold; set"):
            registry.configure(toys.TOY, uncovered)

    def test_a_record_is_one_object_wherever_it_is_used(self):
        first, second = (registry.configure(toys.TOY, {"chip": "tiny"}) for _ in range(2))
        assert first.chip is second.chip  # type: ignore[attr-defined]


def test_devices_and_networks_have_rows_of_finite_numbers():
    for kind in registry.device_kinds():
        for slug, row in registry.devices(kind).items():
            numbers = [entry.value for entry in row.values() if not isinstance(entry, str)]
            assert np.isfinite(numbers).all(), slug


def test_a_row_may_be_given_as_the_record_itself():
    chip = toys.Chip(rate=1.0, power=2.0, memory=3.0)
    assert registry.resolve(toys.Machine, {"chip": chip}).chip is chip
    with pytest.raises(InputError, match=r"'chip' should be .* instance of Chip"):
        registry.resolve(toys.Machine, {"chip": Record()})
