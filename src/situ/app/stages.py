"""The stages of the storybook model, each built from its recipe. Later stages read earlier runs by path."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from situ.app.find import find, networks
from situ.app.pipeline import Pipeline
from situ.app.recipe import Recipe
from situ.app.stage_items import items_of
from situ.app.stages_alignment import (
    aligner,
    cached_latents,
    cached_rows,
    cached_texts,
    fingerprint,
    names_hash,
)
from situ.app.stages_goal import goal
from situ.app.stages_placer import placer
from situ.app.train import Stage
from situ.conditioning.text import TextEncoder
from situ.data.coco import Item
from situ.data.packed import pack_pictures
from situ.data.shards import Shards
from situ.diffusion.schedule import Schedule
from situ.files.atomic import replace
from situ.scene import SituError
from situ.training.alignment_data import pooled
from situ.training.checkpoint import FILE, trained_weights
from situ.training.estimates import estimates
from situ.training.loop import step_generator

NOISED_ALIKE = 16  # pictures of one timestep and number of steps
ESTIMATES_IN_FILE = 256


def autoencoder(recipe: Recipe, device: str) -> Stage:
    """[data] folder, pictures; [model] latent_channels, widths, layers; [objective] crop, noise, kl."""
    from situ.models.autoencoder import deep_compression
    from situ.training.autoencoder import AutoencoderObjective, CropData, psnr

    channels = recipe.value("model", "latent_channels")
    network = deep_compression(
        channels, recipe.value("model", "widths"), recipe.value("model", "layers")
    ).to(device)
    _start_from(recipe, network)
    objective = AutoencoderObjective(
        network,
        recipe.value("objective", "noise"),
        recipe.value("objective", "kl"),
        recipe.value("objective", "decoder_only", False),
        recipe.value("objective", "square", 4.0),
    )
    pictures = _pictures(recipe)
    held_out = _pictures(recipe, "held_out")[:64]
    factor = 2 ** (len(recipe.value("model", "widths")) - 1)
    data = CropData(pictures, recipe.value("objective", "crop"), channels, factor)

    def export(out: Path) -> None:
        network.load_state_dict(_whole(network, trained_weights(out)))
        spread = float(_encode(network, held_out).std())
        extra = {"scaling_factor": 1 / spread}
        network.register_to_config(**extra)
        network.half().save_pretrained(out / "vae")

    return Stage(objective, data, lambda: {"psnr_held_out": psnr(network, held_out)}, export)


def clip(recipe: Recipe, device: str) -> Stage:
    """[data] folder; [model] vocabulary, width, layers, heads, shared, size, patch."""
    from situ.models.clip import Clip, image_encoder, text_encoder, train_tokenizer
    from situ.training.contrastive import ContrastiveObjective, PairData

    items = items_of(recipe)
    tokenizer = train_tokenizer(
        (caption for item in items for caption in item.captions),
        recipe.value("model", "vocabulary"),
    )
    keys = ("width", "layers", "heads", "shared", "size", "patch")
    width, layers, heads, shared, size, patch = (recipe.value("model", key) for key in keys)
    text = text_encoder(tokenizer, width, layers, heads, shared)
    model = Clip(text, image_encoder(width, layers, heads, shared, size, patch)).to(device)
    data = PairData(items, _pictures(recipe), tokenizer, size)

    def export(out: Path) -> None:
        model.load_state_dict(trained_weights(out))
        model.save(out, tokenizer)

    return Stage(ContrastiveObjective(model), data, export=export)


def image_encoder(recipe: Recipe, device: str) -> Stage:
    """[data] backbone, folder, held_out; clip: the folder of the CLIP that goes on, where it is not in the
    backbone's; estimates: how many pictures to learn from, each as it is and as the backbone sees it
    through noise, 0 for all as they are; [objective] scenes: weight of whole pictures.

    The CLIP of a backbone goes on learning to see. Its text transformer stays, because the U-Net reads it.
    """
    from situ.models.clip import Clip
    from situ.models.critics import read_clip
    from situ.training.contrastive import ImageObjective, NamedData

    name, count = recipe.value("data", "backbone"), recipe.value("data", "estimates", 0)
    if not isinstance(count, int) or count < 0:
        raise SituError(f"{recipe.path.name}: [data] estimates is {count!r}; 0 or more pictures")
    known = read_clip(Path(recipe.value("data", "clip", networks(find(name)))), device)
    model = Clip(known.text.model, known.image.requires_grad_(True)).to(device)

    def data(key: str) -> tuple[NamedData, Tensor]:
        items, folder = items_of(recipe, key), Path(recipe.value("data", key))
        captions = cached_texts(
            folder, known.text, [text for item in items for text in item.captions]
        )
        phrases = pooled(known.text, [text for item in items for text in item.layout.phrases])
        pictures: Any = _pictures(recipe, key)
        if count and key == "folder":
            drawn = _estimates(recipe, items[:count], device)
            items, pictures = items[:count] * 2, [*pictures[:count], *drawn]
        named = NamedData(items, pictures, captions, phrases, known.side)
        return named, phrases.vectors.to(device)

    learnt, phrases = data("folder")
    unseen, unseen_phrases = data("held_out")
    scenes = recipe.value("objective", "scenes", 0.3)
    objective = ImageObjective(model, phrases, scenes)
    watching = ImageObjective(model, unseen_phrases, scenes)
    still = {k: rows.to(device) for k, rows in unseen.batch(64, step_generator(7, 7)).items()}

    @torch.no_grad()
    def watch() -> dict[str, float]:
        return {f"{name}_held_out": float(value) for name, value in watching(still).items()}

    def export(out: Path) -> None:
        model.load_state_dict(_whole(model, trained_weights(out)))
        model.save(out / "clip", known.text.tokenizer)

    return Stage(objective, learnt, watch, export)


def grounded(recipe: Recipe, device: str) -> Stage:
    """[data] folder, held_out, autoencoder, clip; [model] a UNetConfig and `gate`; [objective]."""
    from situ.models.autoencoder import read_autoencoder
    from situ.models.backbone import Backbone
    from situ.models.folder import save_backbone
    from situ.models.unet import UNet
    from situ.models.unet_config import UNetConfig
    from situ.training.denoising import (
        DenoisingObjective,
        DenoisingSettings,
        gates,
        open_gates_,
        probe,
    )

    settings = recipe.table("objective", DenoisingSettings)
    text = _text(Path(recipe.value("data", "clip")))
    coder = read_autoencoder(
        Path(recipe.value("data", "autoencoder")) / "vae", "AutoencoderDC", torch.float32
    ).to(device)
    model = {k: v for k, v in recipe.tables["model"].items() if k != "gate"}
    unet = UNet(UNetConfig.from_diffusers(model)).zero_residuals_()
    channels_last: Any = torch.channels_last
    unet = unet.to(device).to(memory_format=channels_last)  # pyright: ignore[reportCallIssue]
    unet.plain_attention = device == "cpu"
    open_gates_(unet, recipe.value("model", "gate", 0.0))
    text.model.to(device)
    prediction = recipe.value("schedule", "prediction", "epsilon")
    schedule = Schedule.scaled_linear(prediction=prediction)
    objective = DenoisingObjective(unet, text.model, schedule, settings)
    data = _latents(recipe, "folder", coder, text, settings)
    still = DenoisingSettings(drop_caption=0, drop_grounding=0, drop_both=0)
    held_out = _latents(recipe, "held_out", coder, text, still).batch(64, step_generator(7, 7))
    held_out = {name: rows.to(device) for name, rows in held_out.items()}

    def watch() -> dict[str, float]:
        opened = [abs(value) for value in gates(unet).values()]
        mean = sum(opened) / len(opened)
        return {**probe(objective, held_out, (500, 700, 900)), "gate_mean": mean}

    def export(out: Path) -> None:
        trained = trained_weights(out)
        names = (name for name in trained if name.startswith("unet."))
        unet.load_state_dict({name.removeprefix("unet."): trained[name] for name in names})
        backbone = Backbone("storybook", text, unet, coder, schedule, "", null_base=True)
        save_backbone(backbone, out / "backbone")

    return Stage(objective, data, watch, export)


def judge(recipe: Recipe, device: str) -> Stage:
    """[data] folder, novel. The judge is trained apart from everything that it measures."""
    from safetensors.torch import save_file

    from situ.storybook.judge import Judge
    from situ.training.detection import DetectionData, DetectionObjective

    network = Judge().to(device)
    items = (*items_of(recipe), *items_of(recipe, "novel"))
    size = recipe.value("data", "size", 128)
    path = Path(recipe.value("data", "novel")) / f"with-train-{size}.npy"
    data = DetectionData(pack_pictures(items, path, size), items)

    def export(out: Path) -> None:
        tensors = {name: t.half().cpu() for name, t in trained_weights(out).items()}
        replace(out / "judge.safetensors", lambda path: save_file(tensors, path, {"format": "pt"}))

    return Stage(DetectionObjective(network), data, export=export)


def recogniser(recipe: Recipe, device: str) -> Stage:
    """[data] folder. The recogniser is trained apart from everything that it measures."""
    from safetensors.torch import save_file

    from situ.data.coco import read_json
    from situ.storybook.recogniser import Recogniser
    from situ.training.recognition import RecognitionData, RecognitionObjective

    network = Recogniser().to(device)
    pages = read_json(Path(recipe.value("data", "folder")) / "annotations/instances.json")["pages"]
    backgrounds = {page["id"]: page["background"] for page in pages}
    data = RecognitionData(_pictures(recipe), items_of(recipe), backgrounds)

    def export(out: Path) -> None:
        tensors = {name: t.half().cpu() for name, t in trained_weights(out).items()}
        path = out / "recogniser.safetensors"
        replace(path, lambda path: save_file(tensors, path, {"format": "pt"}))

    return Stage(RecognitionObjective(network), data, export=export)


STAGES: dict[str, Callable[[Recipe, str], Stage]] = {
    "autoencoder": autoencoder,
    "clip": clip,
    "image_encoder": image_encoder,
    "grounded": grounded,
    "judge": judge,
    "recogniser": recogniser,
    "aligner": aligner,
    "goal": goal,
    "placer": placer,
}


def _pictures(recipe: Recipe, key: str = "folder") -> NDArray[np.uint8]:
    folder, size = Path(recipe.value("data", key)), recipe.value("data", "size", 128)
    return pack_pictures(items_of(recipe, key), folder / f"pictures-{size}.npy", size)


def _estimates(recipe: Recipe, items: Sequence[Item], device: str) -> Shards:
    """Pictures (H, W, 3) of uint8 as training/estimates.py makes them, cached beside the data."""
    folder, size = Path(recipe.value("data", "folder")), recipe.value("data", "size", 128)
    backbone = Pipeline.from_pretrained(recipe.value("data", "backbone"), device=device).backbone
    latents = cached_latents(folder, backbone, items, size)
    place = folder / f"estimates-{size}-{fingerprint(backbone.unet)}-{names_hash(items)}"

    def make(start: int, stop: int) -> NDArray:
        rng, parts = step_generator(start, 0), []
        for first in range(start, stop, NOISED_ALIKE):
            rows = [latents[i] for i in range(first, min(first + NOISED_ALIKE, stop))]
            z = torch.from_numpy(np.stack(rows)).float().to(device)
            parts.append(estimates(backbone, z, rng).mul(255).round().byte().cpu())
        return torch.cat(parts).permute(0, 2, 3, 1).numpy()

    return cached_rows(place, len(items), make, "estimates", ESTIMATES_IN_FILE)


def _start_from(recipe: Recipe, network: nn.Module) -> None:
    """[model] start: a run whose parameters this one begins with."""
    start = recipe.tables["model"].get("start")
    if start:
        network.load_state_dict(_whole(network, trained_weights(Path(start))))


def _whole(network: nn.Module, trained: dict[str, Tensor]) -> dict[str, Tensor]:
    """The trained parameters, and the frozen ones as they are."""
    return {**network.state_dict(), **trained}


def _text(run: Path) -> TextEncoder:
    from transformers import CLIPTextModelWithProjection, CLIPTokenizer

    if not (run / FILE).exists():
        raise SituError(f"{run} holds no trained CLIP; run recipes/storybook-clip.toml first")
    model = CLIPTextModelWithProjection.from_pretrained(run / "text_encoder", dtype=torch.float32)
    return TextEncoder(CLIPTokenizer.from_pretrained(run / "tokenizer"), model.eval())


@torch.no_grad()
def _encode(network: Any, pictures: NDArray[np.uint8]) -> Tensor:
    parts = []
    for i in range(0, len(pictures), 32):
        rows = torch.from_numpy(np.array(pictures[i : i + 32])).permute(0, 3, 1, 2)
        parts.append(
            network.encode((rows.float() / 127.5 - 1).to(network.device)).latent.float().cpu()
        )
    return torch.cat(parts)


def _latents(recipe: Recipe, key: str, coder: Any, text: TextEncoder, settings: Any) -> Any:
    from situ.training.denoising import LatentData

    items, folder = items_of(recipe, key), Path(recipe.value("data", key))
    path = folder / f"latents-{_fingerprint(coder.network)}.npy"
    if not path.exists():
        coded = _encode(coder.network, _pictures(recipe, key)) * coder.scaling
        replace(path, lambda temporary: np.save(temporary.open("wb"), coded.half().numpy()))
    phrases = sorted({phrase for item in items for phrase in item.layout.phrases})
    vectors = dict(zip(phrases, text.encode(phrases).pooled.cpu(), strict=True))
    tokens = [text.tokens(item.captions) for item in items]
    latents = np.load(path, mmap_mode="r")
    small = pack_pictures(items, folder / "pictures-64.npy", 64)
    return LatentData(items, latents, tokens, text.tokens([""])[0], vectors, small, settings)


def _fingerprint(network: nn.Module) -> str:
    """Short name of an encoder's weights, so that latents of another one are never read."""
    total = sum(float(p.detach().double().abs().sum()) for p in network.parameters())
    return json.dumps(total).replace(".", "")[:12]
