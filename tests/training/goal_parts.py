"""A random backbone, a CLIP and a few items for the tests of GOAL's training: latents of 4 x 8 x 8."""

from pathlib import Path

import numpy as np
import torch
from tiny_backbone import random_backbone

from situ.data.coco import Crop, Item
from situ.models.clip import image_encoder
from situ.models.critics import OURS, ClipPair
from situ.scene import Box, Layout, Object
from situ.training.alignment_data import Table, pooled

LEFT, RIGHT = Box(0.0, 0.25, 0.5, 1.0), Box(0.5, 0.0, 1.0, 0.75)
CAPTIONS = (
    "a red fish to the left of a striped blue house",
    "two dotted green trees at night",
    "a blue house at night",
    "two trees",
)
LAYOUTS = (
    Layout((Object("red fish", LEFT), Object("striped blue house", RIGHT))),
    Layout((Object("dotted green tree", LEFT), Object("dotted green tree", RIGHT))),
    Layout((Object("kite", RIGHT),)),  # its phrase is not in the caption
    Layout(),
)
ITEMS = tuple(
    Item(i, Path(), Crop(64, 64), (caption,), layout, ())
    for i, (caption, layout) in enumerate(zip(CAPTIONS, LAYOUTS, strict=True))
)
LATENTS = np.random.default_rng(0).normal(size=(4, 4, 8, 8)).astype(np.float16)


def clip_pair(backbone=None) -> ClipPair:
    torch.manual_seed(1)
    image = image_encoder(16, 1, 2, 16, 16, 8).eval().requires_grad_(False)
    return ClipPair((backbone or random_backbone()).text, image, OURS, OURS, "bilinear")


def tables(clip: ClipPair) -> dict[str, Table]:
    """Vectors of all captions and phrases in CLIP's space."""
    texts = {"captions": CAPTIONS, "phrases": [p for some in LAYOUTS for p in some.phrases]}
    found = {name: pooled(clip.text, some) for name, some in texts.items()}
    return {n: Table(t.numbers, clip.project(t.vectors)) for n, t in found.items()}
