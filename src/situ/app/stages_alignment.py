"""The stage that trains HCMA's aligner for a backbone, and its U-Net beside it where the recipe says so.

Pictures and texts are encoded once and cached.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from situ.app.pipeline import Pipeline
from situ.app.recipe import Recipe
from situ.app.stage_items import items_of
from situ.app.train import Stage
from situ.conditioning.text import TextEncoder
from situ.data.coco import Item
from situ.data.shards import ROWS, Shards, write_shards
from situ.files.atomic import replace
from situ.files.weights import read_weights
from situ.models.aligner import Aligner, AlignerConfig, Spaces, save_aligner
from situ.models.backbone import Backbone
from situ.models.folder import ALIGNER
from situ.ops.processes import is_first
from situ.training.alignment import AlignmentObjective, AlignmentSettings, probe
from situ.training.alignment_data import AlignmentData, Table, false_captions, pooled
from situ.training.alignment_joint import JointData, JointObjective, UNetSettings
from situ.training.checkpoint import trained_weights
from situ.training.loop import Batch, step_generator

HELD_OUT = 256  # pictures that are looked at while training
NOISE_HELD_OUT = 64
TIMES = (100, 400, 700, 900)
AT_ONCE = 32  # pictures through the encoder, of a side of 128 px; of larger ones fewer
PIXELS_AT_ONCE = AT_ONCE * 128**2


def aligner(recipe: Recipe, device: str) -> Stage:
    """[data] backbone, and as below; [model] AlignerConfig; [objective] AlignmentSettings; [unet]
    UNetSettings, by which the U-Net learns, too (algorithm 1); without it, it is not used.

    [data] folder and held_out: COCO-format folders; instances, captions, images and held_out_instances
    ...: what they hold, where it is not called as `situ data` calls it. size: pixels of a picture's side.
    texts: how many captions of a picture to read. false: whether to make captions that are not true.
    """
    pipe = Pipeline.from_pretrained(recipe.value("data", "backbone"), device=device)
    backbone = pipe.backbone
    settings, joint = (
        recipe.table("objective", AlignmentSettings),
        recipe.table("unet", UNetSettings),
    )
    shape = {"channels": backbone.autoencoder.channels, "text_width": backbone.text.width}
    network = Aligner(recipe.table("model", AlignerConfig, **shape)).to(device)
    trained = None

    def part(key: str) -> _Part:
        data, captions, phrases = _data(recipe, key, backbone, settings)
        objective = AlignmentObjective(network, phrases.vectors, backbone.schedule, settings)
        objective.trained = trained or objective.trained
        if joint.train_unet == "none":
            return _Part(objective, objective, data)
        both = JointObjective(
            objective, backbone.unet, backbone.text.model, joint, recipe.value("loop", "lr")
        )
        return _Part(both, objective, JointData(data, captions, backbone.text, joint.drop))

    if joint.train_unet != "none":
        ready(backbone, device)
    main = part("folder")
    trained = main.alignment.trained
    held_out = part("held_out")
    still = held_out.data.batch(min(HELD_OUT, len(held_out.data.latents)), step_generator(7, 7))
    still = {name: rows.to(device) for name, rows in still.items()}
    spaces = Spaces.of(backbone)

    def watch() -> dict[str, float]:
        return probe(held_out.alignment, still, TIMES) | _noise(held_out.objective, still)

    def export(out: Path) -> None:
        weights = trained_weights(out)
        network.load_state_dict(_own(weights, "aligner."))
        save_aligner(out / ALIGNER, network, spaces)
        if joint.train_unet != "none":
            unet = backbone.unet
            unet.load_state_dict({**unet.state_dict(), **_own(weights, "unet.")})
            whole = Pipeline(replaced(backbone, aligner=out / ALIGNER), pipe.guidance)
            whole.save_pretrained(out / "backbone")

    return Stage(main.objective, main.data, watch, export)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What is lowered, the alignment inside it, and the batches."""

    objective: AlignmentObjective | JointObjective
    alignment: AlignmentObjective
    data: AlignmentData | JointData


def ready(backbone: Backbone, device: str) -> None:
    """On a CPU a U-Net learns fastest with plain attention and its channels last."""
    backbone.unet.plain_attention = device == "cpu"
    if device == "cpu":
        channels_last: Any = torch.channels_last
        backbone.unet.to(memory_format=channels_last)  # pyright: ignore[reportCallIssue]


@torch.no_grad()
def _noise(objective: AlignmentObjective | JointObjective, batch: Batch) -> dict[str, float]:
    """Line 13 on held-out pictures, each with its caption and boxes."""
    if isinstance(objective, AlignmentObjective):
        return {}
    few = {name: rows[:NOISE_HELD_OUT] for name, rows in batch.items()}
    few["kept"] = torch.ones_like(few["kept"])
    return {"noise_held_out": float(objective.noise_loss(few))}


def _own(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in weights.items() if n.startswith(prefix)}


def _data(
    recipe: Recipe, key: str, backbone: Backbone, settings: AlignmentSettings
) -> tuple[AlignmentData, Table, Table]:
    """The batches, and the vectors of captions and of phrases."""
    folder, items = Path(recipe.value("data", key)), items_of(recipe, key)
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
    return data, texts, phrases


def cached_latents(folder: Path, backbone: Backbone, items: Sequence[Item], size: int) -> Shards:
    """Latents of all pictures in fp16, below `folder`, by the autoencoder that made them and the pictures,
    of which one folder may hold several sets."""
    place = folder / f"latents-{size}-{fingerprint(backbone.autoencoder)}-{names_hash(items)}"

    at_once = min(AT_ONCE, max(1, PIXELS_AT_ONCE // size**2))

    @torch.no_grad()
    def encode(start: int, stop: int) -> NDArray:
        parts = [items[i : min(i + at_once, stop)] for i in range(start, stop, at_once)]
        coded = [_encoded(backbone, np.stack([item.pixels(size) for item in p])) for p in parts]
        return np.concatenate(coded)

    return cached_rows(place, len(items), encode, "latents")


def cached_rows(
    place: Path, count: int, make: Callable[[int, int], NDArray], what: str, rows: int = ROWS
) -> Shards:
    """write_shards with a bar that tells how many pictures are done."""
    hidden = None if is_first() else True  # None: unless this is a terminal
    with tqdm(total=count, desc=what, unit="picture", disable=hidden) as bar:

        def told(done: int) -> None:
            bar.update(done - bar.n)

        return write_shards(place, count, make, told, rows)


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


def names_hash(items: Sequence[Item]) -> str:
    """Short name of a list of pictures, of which one folder may hold several."""
    return hashlib.sha256("\n".join(str(item.path) for item in items).encode()).hexdigest()[:8]


def fingerprint(network: nn.Module) -> str:
    """Short name of a network's weights, so that what another one made is never read."""
    total = sum(float(p.detach().double().abs().sum()) for p in network.parameters())
    return hashlib.sha256(json.dumps(total).encode()).hexdigest()[:12]


def _encoded(backbone: Backbone, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    return backbone.autoencoder.encode(pixels.to(backbone.device)).half().cpu().numpy()
