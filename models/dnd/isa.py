"""Three instruction sets that differ in registers, operands, lengths and addressing.

| ISA    | registers | instructions    | operands | address of a float          | targets  |
|--------|-----------|-----------------|----------|-----------------------------|----------|
| narrow | 8 and 8   | 2 or 4 bytes    | two      | base                        | relative |
| wide   | 32 and 32 | 4 bytes         | three    | base + 4 index              | relative |
| vary   | 16 and 16 | 1 to 7 bytes    | two      | base + 4 index + constant   | absolute |

`narrow` packs fields from the highest bit and has no maximum; `wide` compares and jumps at once
and fuses product and sum; `vary` has constants of 8 and 32 bits.
"""

from .narrow import NARROW
from .vary import VARY
from .wide import WIDE

ISAS = {"narrow": NARROW, "wide": WIDE, "vary": VARY}
