"""What fewer steps of selection gain in speed and lose in recall."""

from dse.curves import Curve

STEPS = Curve(
    title="Gain and recall over the steps of selection",
    knob="iterations",
    metrics=("throughput_gain", "recall", "kept_mass"),
    text="Fewer steps M gain speed and lose rows. The paper's settings are M = n/2 and n/8.",
    lines={f"{rows} keys": {"rows": rows} for rows in (64, 186, 320)},
    sliders=("width", "threshold", "spread"),
)

CURVES = (STEPS,)
