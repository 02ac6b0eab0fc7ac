"""The stage that trains HCMA's aligner for a backbone: pictures and texts are encoded once and cached."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm

from situ.app.find import find, known_as
from situ.app.recipe import Recipe
from situ.app.train import Stage
from situ.conditioning.text import TextEncoder
from situ.data.coco import Item, read_coco
from situ.data.shards import Shards, write_shards
from situ.files.atomic import replace
from situ.files.weights import read_weights
from situ.models.aligner import Aligner, AlignerConfig, Spaces, save_aligner
from situ.models.backbone import Backbone
from situ.models.folder import ALIGNER, load_backbone
from situ.training.alignment import AlignmentObjective, AlignmentSettings, probe
from situ.training.alignment_data import AlignmentData, Table, false_captions, pooled
from situ.training.checkpoint import trained_weights
from situ.training.loop import step_generator

HELD_OUT = 256  # pictures that are looked at while training
TIMES = (100, 400, 700, 900)
AT_ONCE = 32  # pictures through the encoder


def aligner(recipe: Recipe, device: str) -> Stage:
    """[data] backbone, and as below; [model] AlignerConfig; [objective] AlignmentSettings.

    [data] folder and held_out: COCO-format folders; instances, captions, images and held_out_instances
    ...: what they hold, where it is not called as `situ data` calls it. size: pixels of a picture's side.
    texts: how many captions of a picture to read. false: whether to make captions that are not true.
    """
    name = recipe.value("data", "backbone")
    backbone = load_backbone(find(name), device=device, name=known_as(name))
    settings = recipe.table("objective", AlignmentSettings)
    shape = {"channels": backbone.autoencoder.channels, "text_width": backbone.text.width}
    network = Aligner(recipe.table("model", AlignerConfig, **shape)).to(device)

    def part(key: str) -> tuple[AlignmentObjective, AlignmentData]:
        data, phrases = _data(recipe, key, backbone, settings)
        return AlignmentObjective(network, phrases.vectors, backbone.schedule, settings), data

    objective, data = part("folder")
    held_out, unseen = part("held_out")
    held_out.trained = objective.trained
    still = unseen.batch(min(HELD_OUT, len(unseen.latents)), step_generator(7, 7))
    still = {name: rows.to(device) for name, rows in still.items()}
    spaces = Spaces.of(backbone)

    def export(out: Path) -> None:
        trained = trained_weights(out).items()
        own = {n.removeprefix("aligner."): t for n, t in trained if n.startswith("aligner.")}
        network.load_state_dict(own)
        save_aligner(out / ALIGNER, network, spaces)

    return Stage(objective, data, lambda: probe(held_out, still, TIMES), export)


def _data(
    recipe: Recipe, key: str, backbone: Backbone, settings: AlignmentSettings
) -> tuple[AlignmentData, Table]:
    folder, items = Path(recipe.value("data", key)), _items(recipe, key)
    most = recipe.value("data", "texts", 5)
    captions = [caption for item in items for caption in item.captions[:most]]
    false = None
    if recipe.value("data", "false", 1):
        false = false_captions(items, np.random.default_rng(0))
    lies = [caption for some in false or () for caption in some]
    texts = cached_texts(folder, backbone.text, [*captions, *lies])
    phrases = pooled(backbone.text, [p for item in items for p in item.layout.phrases])
    latents = cached_latents(folder, backbone, items, recipe.value("data", "size", backbone.size))
    data = AlignmentData(items, latents, texts, phrases, false, settings.empty)
    return data, phrases


def _items(recipe: Recipe, key: str) -> tuple[Item, ...]:
    folder, prefix = Path(recipe.value("data", key)), "" if key == "folder" else f"{key}_"
    names = ("instances", "captions", "images")
    table = recipe.tables["data"]
    return read_coco(folder, **{n: table[prefix + n] for n in names if prefix + n in table})


def cached_latents(folder: Path, backbone: Backbone, items: Sequence[Item], size: int) -> Shards:
    """Latents of all pictures in fp16, below `folder`, by the autoencoder that made them."""
    place = folder / f"latents-{size}-{fingerprint(backbone.autoencoder)}"

    @torch.no_grad()
    def encode(start: int, stop: int) -> NDArray:
        parts = [items[i : min(i + AT_ONCE, stop)] for i in range(start, stop, AT_ONCE)]
        coded = [_encoded(backbone, np.stack([item.pixels(size) for item in p])) for p in parts]
        return np.concatenate(coded)

    with tqdm(total=len(items), desc="latents", unit="picture", disable=None) as bar:

        def told(done: int) -> None:
            bar.update(done - bar.n)

        return write_shards(place, len(items), encode, told)


def cached_texts(folder: Path, encoder: TextEncoder, texts: Sequence[str]) -> Table:
    """Vectors of all texts in fp16, in one file below `folder`, by the encoder and the texts."""
    unique = list(dict.fromkeys(texts))
    digest = hashlib.sha256("\n".join(unique).encode()).hexdigest()[:12]
    path = folder / f"texts-{fingerprint(encoder.model)}-{digest}.safetensors"
    if not path.exists():
        vectors = {"vectors": pooled(encoder, unique).vectors}
        replace(path, lambda temporary: save_file(vectors, temporary))
    numbers = {text: row for row, text in enumerate(unique)}
    return Table(numbers, read_weights(path)["vectors"])


def fingerprint(network: nn.Module) -> str:
    """Short name of a network's weights, so that what another one made is never read."""
    total = sum(float(p.detach().double().abs().sum()) for p in network.parameters())
    return hashlib.sha256(json.dumps(total).encode()).hexdigest()[:12]


def _encoded(backbone: Backbone, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    return backbone.autoencoder.encode(pixels.to(backbone.device)).half().cpu().numpy()
