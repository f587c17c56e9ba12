"""Sums of whole numbers times names: what loop nests, addresses and guards are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Affine:
    """A constant and a coefficient per name; names without one do not stand in `terms`."""

    constant: int = 0
    terms: tuple[tuple[str, int], ...] = ()

    @staticmethod
    def of(constant: int, terms: Mapping[str, int]) -> Affine:
        """From a mapping of coefficients."""
        kept = sorted((name, size) for name, size in terms.items() if size)
        return Affine(constant, tuple(kept))

    @staticmethod
    def name(name: str) -> Affine:
        """The name itself."""
        return Affine(0, ((name, 1),))

    def __add__(self, other: Affine | int) -> Affine:
        if isinstance(other, int):
            return Affine(self.constant + other, self.terms)
        found = dict(self.terms)
        for name, size in other.terms:
            found[name] = found.get(name, 0) + size
        return Affine.of(self.constant + other.constant, found)

    def __sub__(self, other: Affine | int) -> Affine:
        return self + (-other if isinstance(other, int) else other * -1)

    def __mul__(self, factor: int) -> Affine:
        if not factor:
            return Affine()
        scaled = tuple((name, size * factor) for name, size in self.terms)
        return Affine(self.constant * factor, scaled)

    def coefficient(self, name: str) -> int:
        """What a name is multiplied with."""
        return dict(self.terms).get(name, 0)

    def names(self) -> set[str]:
        """All names that stand in it."""
        return {name for name, _ in self.terms}

    def replaced(self, name: str, value: Affine | int) -> Affine:
        """The same with a value in place of a name."""
        size = self.coefficient(name)
        if not size:
            return self
        rest = Affine(self.constant, tuple(term for term in self.terms if term[0] != name))
        return rest + (value * size)

    def renamed(self, change: Callable[[str], str]) -> Affine:
        """The same under other names."""
        return Affine.of(self.constant, {change(name): size for name, size in self.terms})
