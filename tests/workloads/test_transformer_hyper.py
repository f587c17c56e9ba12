"""Hyper-parameters: sizes that do not fit one another are refused with the rule they break."""

import pytest

from dse.errors import InputError
from workloads import transformer_hyper

GPT = {
    "title": "GPT",
    "kind": "decoder",
    "layers": 2,
    "width": 64,
    "heads": 4,
    "ffn": 256,
    "vocab": 100,
    "context": 32,
}
PICTURE = {"vocab": 0, "kind": "vision", "image": 32, "patch": 8, "channels": 3, "classes": 10}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kv_heads": 3}, "`heads` must be a multiple of `kv_heads`, got heads=4 and kv_heads=3"),
        ({"layers": 0}, "'x.layers'"),
        ({"width": None}, "'x.width'"),
        ({"heads": 5}, "'x.head_dim'"),
        ({"depth": 3}, "'x.depth'"),
        ({"norm": "batch"}, "'x.norm'"),
        ({"encoder_layers": 2}, "`encoder_layers` must be given for an encoder-decoder"),
        ({"kind": "encoder-decoder"}, "`encoder_layers` must be given for an encoder-decoder"),
        ({"vocab": 0}, "`vocab` must be positive for words"),
        ({"image": 32}, "image, patch, channels, classes must all be given for kind=vision"),
        ({"kind": "vision", "vocab": 0}, "must all be given for kind=vision"),
        ({**PICTURE, "context": 16}, "`context` must be (image / patch)^2 + 1"),
        ({**PICTURE, "image": 33, "context": 17}, "with whole patches"),
        ({"relative_buckets": 8}, "`relative_buckets` must be given for positions=relative"),
        ({"positions": "relative"}, "`relative_buckets` must be given for positions=relative"),
        ({"positions": "rotary", "head_dim": 15}, "`head_dim` must be even"),
        ({"positions": "rotary", "extra_positions": 2}, "`extra_positions` must be 0 unless"),
        ({"pooler": True}, "`token_types` and `pooler` must be left out unless kind=encoder"),
        ({"token_types": 2}, "`token_types` and `pooler` must be left out unless kind=encoder"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_place_and_rule(changes, words):
    with pytest.raises(InputError) as refusal:
        transformer_hyper.read("x", {**GPT, **changes}, where="file.yaml")
    message = str(refusal.value)
    assert message.startswith("file.yaml: 'x")
    assert words in message
    assert "\n" not in message


def test_a_picture_that_fits_its_patches_is_read():
    fits = transformer_hyper.read("x", {**GPT, **PICTURE, "context": 17}, where="file.yaml")
    assert fits.patches == 16
