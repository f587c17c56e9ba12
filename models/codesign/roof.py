"""The GPUs of a platform and what they run, under the roofs that the `roofline` page knows."""

from collections.abc import Sequence

from dse.roofs import Roof
from dse.spec import leaf

from ..roofline import model as roofline
from ..roofline.roof import roof
from . import kernels
from .platform import Platform
from .serving import context_rows

LEFT_OUT = "Tuning, fusion, A3's selection and starts of kernels are left out."


def roofs(config: Platform) -> Sequence[Roof]:
    """A training step's forward pass, a prompt and a token, where a GPU runs them."""
    found: dict[str, roofline.Pass] = {}
    if config.train.mode.on > 0:
        name = f"training on {config.train.gpu.slug}"
        found[name] = kernels.training_pass(config, config.train.batch)
    if config.serve.target.on_gpu > 0:
        n_in, rows = config.input_tokens, context_rows(config)
        on = config.serve.gpu.slug
        found[f"a token on {on}"] = kernels.serving_pass(config, tokens=leaf(1.0), context=rows)
        found[f"a prompt on {on}"] = kernels.serving_pass(config, tokens=n_in, context=n_in)
    return [roof(_reaching(one, config), name, LEFT_OUT) for name, one in found.items()]


def _reaching(one: roofline.Pass, config: Platform) -> roofline.Pass:
    """A pass at the efficiencies of the platform."""
    own = {name: getattr(config, name) for name in ("compute_efficiency", "memory_efficiency")}
    return type(one).batched(own, one)
