"""What more training samples buy in regret, and cost in hours."""

from dse.curves import Curve

SAMPLES = Curve(
    title="Regret and tuning time over the training samples",
    knob="train_size",
    metrics=("regret", "tuning_time"),
    text="Regret is the time of the kernel that is kept over the best of its space. The time of"
    " tuning holds the network's share of the training.",
    lines={f"{trials} trials": {"trials": trials} for trials in (8, 32, 128)},
    sliders=("tasks", "deployments", "training_tasks"),
)

CURVES = (SAMPLES,)
