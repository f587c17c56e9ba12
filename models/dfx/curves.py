"""What further boards bring a token, and cost in energy."""

from dse.curves import Curve

BOARDS = Curve(
    title="Time and energy of a token over the boards",
    knob="fpgas",
    metrics=("token_time", "energy_per_token"),
    text="Twice the boards stream half the weights each, while the time of a layer stays: the gain"
    " shrinks. Boards must divide the heads.",
    lines={slug: {"workload": slug} for slug in ("gpt2-345m", "gpt2-774m", "gpt2-1.5b")},
    levels=(1.0, 2.0, 4.0, 8.0),
    sliders=("input_tokens", "output_tokens", "clock", "layer_overhead"),
)

CURVES = (BOARDS,)
