"""What a larger batch buys, and what it needs of the drive."""

from dse.curves import Curve
from dse.units import GB

BATCH = Curve(
    title="Throughput over the batch, with and without offloading",
    knob="batch",
    metrics=("throughput",),
    text="A line ends at the largest batch that runs. Where a drive's line leaves the others, its"
    " transfer no longer hides under compute.",
    lines={
        "GPU alone": {"store": "none"},
        "one drive, 1 GB/s": {"store": "ssd", "ssd_bandwidth": 1 * GB},
        "one drive, 3 GB/s": {"store": "ssd", "ssd_bandwidth": 3 * GB},
        "one drive, 12 GB/s": {"store": "ssd", "ssd_bandwidth": 12 * GB},
    },
    sliders=("workload", "tokens", "compression_factor", "half_batch"),
)

CURVES = (BATCH,)
