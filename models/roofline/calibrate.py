"""What this page calibrates: a CPU, a GPU, or the law of products from measured ones."""

from collections.abc import Mapping
from datetime import UTC, datetime

from dse.calibrate import Anchor, Calibration, Calibrator, Measurements, Probe
from dse.terminal import Tick

from .anchor import anchored
from .layers import Cpu, Cuda
from .measure import calibration


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def cpu(progress: Tick) -> Calibration:
    """This machine's CPU."""
    return calibration(Cpu(), progress, date=_today())


def cuda(progress: Tick) -> Calibration:
    """This machine's first CUDA GPU."""
    return calibration(Cuda(), progress, date=_today())


def gemm(asked: Measurements) -> Calibration:
    """A GPU from products that were measured on it."""
    return anchored(asked, date=_today())


CALIBRATORS: Mapping[str, Calibrator] = {
    "cpu": Probe("this machine's CPU through NumPy", cpu),
    "cuda": Probe("this machine's GPU through PyTorch", cuda),
    "gemm": Anchor("a GPU's pace from measured products: m,n,k,dtype,seconds[,batch]", gemm),
}
