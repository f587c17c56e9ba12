"""Today's scores of every page, reckoned once for all tests that ask."""

from functools import cache

from dse import verbs
from dse.scores import Card


@cache
def cards() -> dict[str, Card]:
    """Slug -> scores."""
    return {card.model: card for card in verbs.scoreboard()}
