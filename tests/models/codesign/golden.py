"""Golden metrics of a few platforms, as they were before any knob held an error of another page.

They are our own output, so they say only that an equation did not change unseen. Where one is
meant to change, `python -m tests.models.codesign.golden` writes them again.
"""

import json
from pathlib import Path
from typing import Any

from .worked import W1, W2, W3, W4, priced

PLACE = Path(__file__).with_name("golden.json")
PAIR: dict[str, Any] = {"serve.target": "duet"}
DESIGNS: dict[str, dict[str, Any]] = {
    "default": {},
    "W1": W1,
    "W2": W2,
    "W3": W3,
    "W4": W4,
    "several GPUs": W2 | {"train.gpus": 4, "drive.count": 4},
    "drives without LII": W1 | {"drive.lii": "off"},
    "drives with a cache": W1 | {"drive.zones": "cache", "train.offload": "on"},
    "A3 on a GPU": W4 | {"serve.target": "gpu", "a3.units": 1},
    "A3 on a CPU": W4 | {"serve.target": "cpu", "a3.units": 1},
    "split": PAIR | {"workload": "gpt2-345m", "duet.assignment": "gc"},
    "best split": PAIR | {"workload": "gpt2-345m", "serve.precision": "fp32", "serve.batch": 4},
    "branches": PAIR | {"workload": "wide-deep-edge"},
    "branches apart": PAIR | {"workload": "wide-deep-edge", "duet.assignment": "gcgc"},
}


def kept() -> dict[str, dict[str, float]]:
    """Metrics of every design, as they were written."""
    found: dict[str, dict[str, float]] = json.loads(PLACE.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Write what the page says now."""
    found = {name: priced(settings) for name, settings in DESIGNS.items()}
    PLACE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
