"""What worked when the scores were kept works today; how well is told, and fails nothing."""

import pytest

from dse import registry, scoreboard
from tests import todays

EVERY = pytest.mark.parametrize("slug", registry.slugs())


@EVERY
def test_every_row_that_worked_still_works(slug: str) -> None:
    card = todays.cards()[slug]
    assert scoreboard.broken(scoreboard.kept(slug), card) == [], card.note


@EVERY
def test_every_row_is_kept_so_that_its_loss_is_seen(slug: str) -> None:
    card = todays.cards()[slug]
    assert scoreboard.unkept(scoreboard.kept(slug), card) == [], (
        f"run 'dse validate {slug} --write'"
    )


@EVERY
def test_drift_of_the_mean_error_is_told(slug: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = scoreboard.drift(scoreboard.kept(slug), todays.cards()[slug])
    with capsys.disabled():
        for line in told:
            print(f"\ndrift: {line}", end="")
    assert all(line.startswith(f"{slug}, ") for line in told)
