"""What a field of a config says of itself: unit, symbol, bounds, catalog."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from dse import units


@dataclass(frozen=True)
class Unit:
    """The SI unit of a leaf; strings with a convertible unit are accepted at the edge."""

    symbol: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Parse '3.2 GB/s' before pydantic sees a float."""

        def parse(value: object) -> float:
            if isinstance(value, str | bool):
                return units.parse(value, self.symbol)
            if isinstance(value, Real):  # NumPy's numbers are real, but no int or float
                return units.parse(value if isinstance(value, int) else float(value), self.symbol)
            raise ValueError(f"must be a number or text such as {units.forms(self.symbol)}")

        return core_schema.no_info_before_validator_function(parse, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        """An editor accepts the bare SI number or the text with its unit."""
        number = handler(schema)
        return {"anyOf": [number, {"type": "string"}], "unit": self.symbol}


@dataclass(frozen=True)
class Symbol:
    """The paper's symbol of a knob, as LaTeX without dollar signs."""

    text: str


@dataclass(frozen=True)
class Bounds:
    """The range a knob is meant for; outside it a prediction extrapolates and warns."""

    low: float
    high: float
    log: bool = False
    integer: bool = False

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Refuse a fraction where only whole numbers make sense."""

        def whole(value: float) -> float:
            if self.integer and value != round(value):
                raise ValueError(f"must be a whole number, got {value:g}")
            return value

        return core_schema.no_info_after_validator_function(whole, handler(source))


@dataclass(frozen=True)
class Catalog:
    """Where the rows of a category are found by slug, and the one taken when none is named."""

    name: str
    default: str
    also: tuple[str, ...] = ()
    """Other kinds of devices that may stand there when they are given as files."""
