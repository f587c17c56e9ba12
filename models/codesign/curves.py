"""What serves under which load, and what a larger batch costs the drives in life."""

from dse.curves import Curve

LOAD = Curve(
    title="Latency and energy over the load, by what serves",
    knob="request_rate",
    metrics=("latency", "energy_per_token"),
    text="A line ends where its devices no longer keep up. Under a small load idle power and hosts"
    " are shared by few tokens.",
    lines={
        "GPU": {"serve.target": "gpu"},
        "CPU": {"serve.target": "cpu"},
        "CPU and GPU": {"serve.target": "duet"},
        "four FPGAs": {"serve.target": "dfx", "dfx.fpgas": 4},
    },
    sliders=("input_tokens", "output_tokens", "serve.replicas"),
)

WEAR = Curve(
    title="Throughput and the drives' life over the batch of training",
    knob="train.batch",
    metrics=("throughput", "drive_lifetime"),
    text="A larger batch trains faster and writes more: the drives wear out sooner. Without"
    " offloading a line ends at what the GPU holds.",
    lines={
        "without drives": {"train.offload": "off"},
        "one drive": {"drive.count": 1},
        "four drives": {"drive.count": 4},
    },
    sliders=("train.tokens", "train.jobs_per_year", "drive.dies"),
    given={"train.mode": "train", "workload": "gpt2-345m", "train.offload": "on"},
)

CURVES = (LOAD, WEAR)
