"""The stage that tunes a grounded backbone as GOAL does; latents and vectors of texts are cached."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from situ.app.find import find, known_as, networks
from situ.app.pipeline import Pipeline
from situ.app.recipe import Recipe
from situ.app.stage_items import items_of
from situ.app.stages_alignment import cached_latents, cached_texts, ready
from situ.app.train import Stage
from situ.files.atomic import write_bytes
from situ.models.aligner import fitted
from situ.models.backbone import Backbone
from situ.models.critics import backbone_clip, read_clip, read_tiny_decoder
from situ.models.difference import FILE as DIFFERENCE
from situ.models.difference import save_difference
from situ.models.folder import ALIGNER
from situ.scene import SituError
from situ.training.alignment_data import Table
from situ.training.checkpoint import trained_weights
from situ.training.denoising import DenoisingSettings
from situ.training.loop import step_generator
from situ.training.masked_attention import AttentionSettings, MAAlign
from situ.training.semantic import (
    Critic,
    DSAlign,
    LatentCritic,
    PixelCritic,
    SemanticSettings,
)
from situ.training.tuning import TuningData, TuningObjective, TuningSettings, watch

HELD_OUT = 64  # pictures that are looked at while training, unless the recipe says otherwise


def goal(recipe: Recipe, device: str) -> Stage:
    """[data] as below; [objective] TuningSettings; [semantic] SemanticSettings; [attention]
    AttentionSettings; [model] checkpointing; [export] Export.

    [data] backbone: what to start from, as --model takes it. folder and held_out: COCO-format folders;
    instances, captions, images and held_out_instances ...: what they hold, where it is not called as
    `situ data` calls it. size: pixels of a picture's side. clip: the folder of DSAlign's CLIP, where it is
    not in the backbone's. tiny_decoder, aligner: of the other critics. watched: held-out pictures to look
    at while training.
    """
    name, export_as = recipe.value("data", "backbone"), recipe.table("export", Export)
    pipe = Pipeline.from_pretrained(name, device=device)
    parts = build(pipe.backbone, networks(find(name)), Settings.of(recipe))
    _ready(pipe.backbone, recipe, device)
    data = parts.data(recipe, "folder", parts.settings.objective.denoising)
    still = DenoisingSettings(drop_caption=0, drop_grounding=0, drop_both=0)
    unseen = parts.data(recipe, "held_out", still)
    count = min(recipe.value("data", "watched", HELD_OUT), len(unseen.latents))
    held_out = unseen.batch(count, step_generator(7, 7))
    held_out = {key: rows.to(device) for key, rows in held_out.items()}

    def export(out: Path) -> None:
        save_tuned(out, pipe, name, export_as.difference_bytes or None)

    return Stage(parts.objective, data, lambda: watch(parts.objective, held_out), export)


@dataclass(frozen=True)
class Export:
    """difference_bytes: of the difference's file, which is coded more coarsely the fewer; 0 keeps fp16."""

    difference_bytes: int = 0

    def __post_init__(self) -> None:
        if self.difference_bytes < 0:
            raise SituError(f"export.difference_bytes is {self.difference_bytes}; 0 or more")


@dataclass(frozen=True)
class Settings:
    """The tables of a recipe, and the files that its critic needs."""

    objective: TuningSettings
    semantic: SemanticSettings
    attention: AttentionSettings
    clip: str | None = None
    tiny_decoder: str | None = None
    aligner: str | None = None

    @classmethod
    def of(cls, recipe: Recipe) -> "Settings":
        files = {key: recipe.tables["data"].get(key) for key in ("clip", "tiny_decoder", "aligner")}
        return cls(
            recipe.table("objective", TuningSettings),
            recipe.table("semantic", SemanticSettings),
            recipe.table("attention", AttentionSettings),
            **files,
        )


@dataclass(frozen=True, eq=False)
class Parts:
    """An objective, and what makes its data."""

    objective: TuningObjective
    backbone: Backbone
    settings: Settings
    critic: Critic | None

    def data(self, recipe: Recipe, key: str, settings: DenoisingSettings) -> TuningData:
        items, folder = items_of(recipe, key), Path(recipe.value("data", key))
        size = recipe.value("data", "size", self.backbone.size)
        latents = cached_latents(folder, self.backbone, items, size)
        captions = self._table(folder, [text for item in items for text in item.captions])
        phrases = self._table(folder, [text for item in items for text in item.layout.phrases])
        return TuningData(
            items,
            latents,
            self.backbone.text,
            settings,
            words=bool(self.settings.objective.beta),
            captions=captions,
            phrases=phrases,
            boxes=self.settings.semantic.boxes,
            near=self.settings.semantic.near,
            total=self.backbone.schedule.total,
        )

    def _table(self, folder: Path, texts: list[str]) -> Table | None:
        """Vectors of texts in the critic's space."""
        if self.critic is None:
            return None
        table = cached_texts(folder, self.critic.encoder, texts)
        device = self.critic.encoder.model.device
        return replace(table, vectors=self.critic.project(table.vectors.to(device)).cpu())


def build(backbone: Backbone, folder: Path, settings: Settings) -> Parts:
    """Objective and critic around a backbone, which was loaded from `folder`."""
    tuning, schedule = settings.objective, backbone.schedule
    critic = _critic(backbone, folder, settings) if tuning.alpha else None
    semantic = DSAlign(critic, schedule, settings.semantic) if critic else None
    attention = MAAlign(backbone.unet, settings.attention) if tuning.beta else None
    unet, text = backbone.unet, backbone.text.model
    objective = TuningObjective(unet, text, schedule, tuning, semantic, attention)
    return Parts(objective, backbone, settings, critic)


def save_tuned(out: Path, pipe: Pipeline, base: str, most_bytes: int | None = None) -> None:
    """The trained weights of a run as a model's folder and as a difference from the base, below `out`.

    most_bytes: of the difference's file."""
    backbone = pipe.backbone
    trained = trained_weights(out).items()
    own = {name.removeprefix("unet."): tensor for name, tensor in trained}
    backbone.unet.load_state_dict({**backbone.unet.state_dict(), **own})
    pipe.save_pretrained(out / "backbone")
    if backbone.aligner is not None:  # neither latents nor texts have changed
        write_bytes(out / "backbone" / ALIGNER, backbone.aligner.read_bytes())
    tuned = {name: tensor.cpu() for name, tensor in backbone.unet.state_dict().items()}
    before = Pipeline.from_pretrained(base).backbone
    if before.weights_hash != backbone.weights_hash:
        raise SituError(
            f"{base} is not the model any more that this run began with, so there is no difference to "
            f"write; the whole tuned model is in {out / 'backbone'}"
        )
    save_difference(out / "difference" / DIFFERENCE, before, tuned, known_as(base), most_bytes)


def _critic(backbone: Backbone, folder: Path, settings: Settings) -> Critic:
    chosen = settings.semantic
    if chosen.critic == "latent":
        if settings.aligner:
            backbone = replace(backbone, aligner=Path(settings.aligner))
        aligner = fitted(backbone).aligner
        return LatentCritic(aligner, backbone.text, backbone.schedule, chosen.latent_t)
    clip = (
        read_clip(Path(settings.clip).expanduser(), str(backbone.device))
        if settings.clip
        else backbone_clip(backbone, folder)
    )
    decoder = backbone.autoencoder
    if chosen.critic == "tiny":
        if not settings.tiny_decoder:
            raise SituError(
                'semantic.critic is "tiny", which needs [data] tiny_decoder: its folder'
            )
        decoder = read_tiny_decoder(Path(settings.tiny_decoder), decoder).to(backbone.device)
    if chosen.checkpointing:
        _checkpoint(decoder.network)
    return PixelCritic(clip, decoder.decode, chosen.region)


def _checkpoint(network: Any) -> None:
    if not network._supports_gradient_checkpointing:
        raise SituError(
            f"semantic.checkpointing: {type(network).__name__} cannot; semantic.slice bounds memory, too"
        )
    network.enable_gradient_checkpointing()


def _ready(backbone: Backbone, recipe: Recipe, device: str) -> None:
    backbone.unet.checkpointing = bool(recipe.tables.get("model", {}).get("checkpointing", False))
    ready(backbone, device)
