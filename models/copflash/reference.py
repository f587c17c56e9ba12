"""Cop-Flash executed, literature-based: a page-mapped FTL under training or random traffic.

`ftl` maps pages and cleans blocks, `zones_ftl` adds the two zones, LII, folding and EADM,
`lifetimes` learns classes, `streams` writes. Nothing here reads the page's equations. They share
the config's records, data.yaml and what the job is. There is no clock but the steps, so a step
takes its compute time, and requests are whole pages.
"""

import math
from collections.abc import Mapping

from dse.mechanism import Reference
from dse.spec import Metric

from .executed import Executed
from .ftl import Worn
from .random_pages import scatter
from .reference_cases import COMPARED, cases, published
from .trained import train

QUANTITIES = {
    "write_amplification": Metric("1", "min", "pages programmed per page written"),
    "slc_amplification": Metric("1", "min", "of the SLC zone; training only, as all below"),
    "tlc_amplification": Metric("1", "min", "of the TLC zone"),
    "separated_amplification": Metric(
        "1", "min", "hot and cold pages in pools of their own; hot-cold traffic only"
    ),
    "slc_writes": Metric("1", "", "share of the pages written that enter SLC"),
    "slc_blocks": Metric("1", "", "share of the blocks in SLC mode at the end"),
    "eadm_blocks": Metric("1", "", "the same where EADM chose it"),
    "steps_of_life": Metric("1", "max", "steps until the first zone is worn out, blocks alike"),
    "lifetime": Metric("s", "max", "the same at the job's steps a day"),
    "wear_imbalance": Metric("1", "", "wear of SLC less TLC over the larger"),
    "worst_block": Metric("1", "min", "wear of the most worn block over the mean of all"),
    "erases": Metric("1", "min", "blocks erased in the half that counts"),
}


def run(config: Executed) -> Mapping[str, float | bool | str]:
    """Execute; what a run does not tell is unknown, and words say why one failed."""
    unknown = dict.fromkeys(QUANTITIES, math.nan)
    try:
        found = scatter(config) if config.traffic.random else train(config)
    except (ValueError, Worn) as error:
        return {**unknown, "feasible": False, "reason": str(error)}
    return {**unknown, **found, "feasible": True, "reason": ""}


REFERENCE = Reference(
    slug="copflash",
    text="a page-mapped FTL of SLC and TLC pools: frontiers by lifetime, cleaning, trim, EADM",
    config=Executed,
    run=run,
    quantities={
        **QUANTITIES,
        "feasible": Metric("1", "", "whether the data fit and cleaning finds room"),
        "reason": Metric("", "", "why not"),
    },
    compared=COMPARED,
    cases=cases,
    published=published,
)
