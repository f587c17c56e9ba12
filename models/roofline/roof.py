"""The operators of a pass under the roof of its device, as `dse.roofs` draws them."""

from collections.abc import Sequence

from dse.roofs import Ran, Roof
from dse.spec import Operator, leaf

from .config import Form, Network, Pass
from .model import evaluate, peak


def roof(one: Pass, name: str, text: str = "") -> Roof:
    """A pass as this page prices it, starts of kernels left out of its operators."""
    terms = evaluate(one).terms
    return Roof(
        name=name,
        peak=float(peak(one.device, one.precision)),
        bandwidth=float(one.device.memory_bandwidth),
        ran=tuple(
            _ran(one, operator, float(terms[operator.slug or f"operator_{place}"]))
            for place, operator in enumerate(one.workload.operators)
        ),
        text=text,
    )


def _ran(one: Pass, operator: Operator, time: float) -> Ran:
    """What an operator does: the page's own counts of a network that is only this operator."""
    net = Network(parameters=leaf(0.0), operators=(operator,))
    alone = evaluate(Pass.batched({"workload": net, "form": Form()}, one))
    did = {name: float(alone.metrics[name]) for name in ("flops", "bytes_moved")}
    return Ran(operator.slug, operator.kind, did["flops"], did["bytes_moved"], time)


def roofs(config: Pass) -> Sequence[Roof]:
    """The one roof of a design."""
    where = f"{config.workload.slug} on {config.device.slug}"
    return [roof(config, where, "Starts of kernels are left out.")]
