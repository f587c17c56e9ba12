"""Where the hours of a recovery go."""

from dse.curves import Curve

OPERATORS = Curve(
    title="Hours by operator",
    knob="workload",
    metrics=(
        *("conv_time", "fc_time", "other_time"),
        *("parameter_time", "lift_time", "locate_time"),
    ),
    text="Symbolic execution by class of operators, then reading the parameters, matching and"
    " loading; together they are the recovery time. Orders of magnitude.",
    levels=("resnet18", "resnet50", "mobilenet-v2", "vgg16"),
    sliders=("compiler", "extraction", "failure", "solve_time"),
)

LOOPS = Curve(
    title="One function over its loops",
    knob="loops",
    metrics=("recovery_time",),
    text="A product of matrices takes longer than anything else of its size; linear layers were"
    " not timed and hold within 10 times.",
    lines={name: {"operator": name} for name in ("conv", "fc", "pool")},
    sliders=("instructions", "parameters", "failure"),
)

CURVES = (OPERATORS, LOOPS)
