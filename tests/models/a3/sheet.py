"""Counts that the fact sheet gives: 60 draws of another executable reference, d = 64."""

from typing import NamedTuple


class Row(NamedTuple):
    """One setting: M, T, C/n, K/n at spreads 2, 4 and 6, and the range of recall over them."""

    rows: int
    iterations: int
    threshold: float
    candidate_share: float
    kept_share: tuple[float, float, float]
    recall: tuple[float, float]


SHEET = (
    Row(20, 10, 0.05, 0.34, (0.21, 0.13, 0.11), (0.73, 0.87)),
    Row(20, 2, 0.10, 0.10, (0.07, 0.07, 0.06), (0.25, 0.35)),
    Row(186, 93, 0.05, 0.33, (0.09, 0.03, 0.02), (0.80, 0.90)),
    Row(186, 23, 0.10, 0.113, (0.04, 0.015, 0.01), (0.40, 0.50)),
    Row(320, 160, 0.05, 0.33, (0.07, 0.02, 0.01), (0.80, 0.90)),
    Row(320, 40, 0.10, 0.113, (0.02, 0.01, 0.007), (0.43, 0.60)),
)
