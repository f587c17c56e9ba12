"""The calibrated form: time of a kernel by its shape, as measured kernels say.

One function a kind of kernel, free of any config. The laws stand in `products` (matrices),
`streams` (elementwise, softmax, norm, look-ups) and `fused` (attention in one kernel).

A time is that of the device alone. What starting a kernel costs belongs to the host and to the
way of measuring (`data.yaml`, table `launch`), so it is an input of whoever adds kernels up; fused
attention alone is several kernels and holds their starts.
"""

import numpy as np

from dse.spec import Array, leaf

from .config import Device, Precision
from .fused import attention_time
from .products import tensor_time, vector_time
from .streams import elementwise_time, norm_time, softmax_time

__all__ = [
    "attention_time",
    "convolution_time",
    "elementwise_time",
    "gemm_time",
    "norm_time",
    "softmax_time",
]

ONE = leaf(1.0)


def gemm_time(
    *,
    m: Array,
    n: Array,
    k: Array,
    batch: Array = ONE,
    peak: Array,
    device: Device,
    precision: Precision,
    pace: Array = ONE,
    batched: bool = False,
) -> Array:
    """Time of `batch` products of M x K and K x N matrices; `peak` is that of the precision.

    Single precision runs on vector lanes, TF32, FP16 and BF16 on tensor cores. A batch of one
    precision does not pay for the other's law. `pace` is the rate of a large product measured on
    the board, over what the law says.

    >>> a100 = Device(
    ...     memory_bandwidth=2.039e12, memory_capacity=80e9, power=400, peak_fp32=19.5e12,
    ...     multiprocessors=108, base_clock=1.275e9, boost_clock=1.41e9, l2_capacity=40e6,
    ...     compute_capability=8, stacked=1,
    ... )
    >>> half, size = Precision(width=2, fp16=1), np.asarray(4096.0)
    >>> shape = {"m": size, "n": size, "k": size}
    >>> time = gemm_time(**shape, peak=312e12, device=a100, precision=half)
    >>> round(float(time) * 1e6)
    571
    """
    shape, width = (m, n, k, batch), precision.width
    single = np.greater(precision.fp32, 0.0)
    if np.all(single):
        return vector_time(shape=shape, width=width, device=device, pace=pace, batched=batched)
    tensor = tensor_time(shape=shape, width=width, peak=peak, device=device, pace=pace)
    if not np.any(single):
        return tensor
    vector = vector_time(shape=shape, width=width, device=device, pace=pace, batched=batched)
    return np.where(single, vector, tensor)


def convolution_time(
    *,
    pictures: Array,
    pixels: Array,
    inputs: Array,
    outputs: Array,
    kernel: Array,
    peak: Array,
    device: Device,
    precision: Precision,
) -> Array:
    """Time of a convolution as an implicit product: unvalidated, no convolution was measured.

    `pixels` are those of an output picture, `kernel` the pixels of the window, `inputs` and
    `outputs` channels.
    """
    return gemm_time(
        m=pictures * pixels,
        n=outputs,
        k=inputs * kernel,
        peak=peak,
        device=device,
        precision=precision,
    )
