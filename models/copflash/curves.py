"""What the split between SLC and TLC costs in years and brings in bandwidth."""

from dse.curves import Curve
from dse.units import GB

SPLIT = Curve(
    title="Years and bandwidth over the share of SLC",
    knob="slc_fraction",
    metrics=("lifetime", "bandwidth"),
    text="SLC takes what dies within a step. Too small a zone wears out first; what it does not"
    " hold, and what lasts, wears TLC. A line ends where the data no longer fit.",
    lines={
        "lifetimes apart (LII)": {"lii": "on"},
        "lifetimes mixed, greedy": {"lii": "off", "victim": "greedy"},
        "lifetimes mixed, oldest first": {"lii": "off", "victim": "lru"},
    },
    sliders=("steps_per_day", "batch", "dies", "link_bandwidth"),
    given={"zones": "dual", "eadm": "off", "dataset": 200 * GB},
)

CURVES = (SPLIT,)
