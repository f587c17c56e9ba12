"""Random single pages on an executed drive of one pool, or of one each for hot and cold pages."""

import math

import numpy as np

from .executed import Executed
from .ftl import Ftl
from .lifetimes import Learned
from .streams import Skew, draw, fill


def scatter(config: Executed, kind: type[Ftl] = Ftl) -> dict[str, float]:
    """Write random pages; the second half counts. Hot and cold ones are tried both ways."""
    hot = bool(config.traffic.hot)
    pages = config.slc_pages() if config.traffic.slc else int(config.pages_per_block)
    spared, blocks = float(1 + config.overprovision) / float(config.filled), int(config.blocks)
    user = round(blocks * pages / spared)
    skew = Skew(user, float(config.hot_writes), float(config.hot_data)) if hot else Skew(user)
    # LII marks hot and cold pages, which then have a block each to write to.
    streams = 2 if hot and config.lii.on else 1
    learned = _learned(config, skew) if streams > 1 and config.marks.learned else None
    mixed = amplified(
        config, skew, pools=[blocks + streams], streams=[0] * streams, pages=pages, kind=kind,
        learned=learned,
    )  # fmt: skip
    apart = math.nan
    if hot:
        shares = [float(config.hot_split), 1 - float(config.hot_split)]
        held = [skew.hot() / pages, (user - skew.hot()) / pages]
        pools = [
            round(n + a * (blocks - user / pages)) + 1 for n, a in zip(held, shares, strict=True)
        ]
        apart = amplified(config, skew, pools=pools, streams=[0, 1], pages=pages, kind=kind)
    return {"write_amplification": mixed, "separated_amplification": apart}


def _learned(config: Executed, skew: Skew) -> Learned:
    """Lives in writes; hot where shorter than the geometric mean of both kinds' mean lives."""
    lives = skew.data / skew.writes, (1 - skew.data) / (1 - skew.writes)
    edge = skew.pages * math.sqrt(lives[0] * lives[1])
    return Learned(logical=skew.pages, edges=np.array([edge]), gain=float(config.gain))


def amplified(
    config: Executed,
    skew: Skew,
    *,
    pools: list[int],
    streams: list[int],
    pages: int,
    kind: type[Ftl] = Ftl,
    learned: Learned | None = None,
) -> float:
    """Pages programmed over pages written in the steady half."""
    ftl = kind(
        pools=pools,
        sizes=[pages] * len(pools),
        streams=streams,
        logical=skew.pages,
        victim=config.chooser(),
        rng=np.random.default_rng(int(config.seed)),
    )
    fill(ftl, skew)
    half = int(skew.pages * config.fills / 2)
    draw(ftl, skew, half, learned)
    programmed, written = sum(ftl.programmed), sum(ftl.written)
    draw(ftl, skew, half, learned)
    return (sum(ftl.programmed) - programmed) / (sum(ftl.written) - written)
