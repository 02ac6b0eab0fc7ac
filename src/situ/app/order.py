"""What a person asks a pipeline for, in the words of diffusers or in ours, made into scenes and noise."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Generator, Tensor

from situ.methods import METHODS
from situ.methods.plan import Method, Request, Sampling
from situ.models.backbone import Backbone
from situ.ops.seeds import SEEDS
from situ.scene import Box, Layout, Object, Scene, SituError
from situ.scene.errors import at, did_you_mean, shown

Boxes = Sequence[Sequence[float] | Box]


@dataclass(frozen=True, kw_only=True, eq=False)
class Order:
    """The arguments of a pipeline's call. `prompt` with `phrases` and `boxes`, or scenes, not both."""

    prompt: str | Sequence[str] | None = None
    phrases: Sequence[str] | Sequence[Sequence[str]] | None = None
    boxes: Boxes | Sequence[Boxes] | None = None
    gligen_phrases: Sequence[str] | Sequence[Sequence[str]] | None = None
    gligen_boxes: Boxes | Sequence[Boxes] | None = None
    scene: Scene | Sequence[Scene] | None = None
    scenes: Sequence[Scene] | None = None
    method: str = "gligen"
    num_inference_steps: int = 50
    guidance_scale: float | None = None
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    negative_prompt: str | None = ""
    gate: Sequence[float] | None = None
    gligen_scheduled_sampling_beta: float | None = None
    solver: str = "plms"
    eta: float = 0.0
    num_images_per_prompt: int = 1
    seed: int | Sequence[int] | None = None
    generator: Generator | Sequence[Generator] | None = None
    latents: Tensor | None = None
    height: int | None = None
    width: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def request(self, side: int, guidance: float) -> Request:
        """Scenes, seeds and settings; side and guidance are what the model was made for."""
        count = self.num_images_per_prompt
        if type(count) is not int or count < 1:
            raise SituError(
                f"num_images_per_prompt: {count!r} must be a whole number of at least 1"
            )
        scenes = tuple(scene for scene in self._scenes(side) for _ in range(count))
        return Request(scenes, self._seeds(len(scenes)), self._sampling(guidance))

    def noise(self, backbone: Backbone, request: Request) -> Tensor | None:
        """The latents to start from [B, C, h, w], or None where the seeds decide."""
        shape = (len(request.scenes), *backbone.latent_shape(*request.canvas))
        if self.latents is not None:
            if tuple(self.latents.shape) != shape:
                got = tuple(self.latents.shape)
                raise SituError(f"latents: shape {got} does not fit; this call draws {shape}")
            return self.latents
        return None if self.generator is None else _drawn(self.generator, shape)

    def _scenes(self, side: int) -> list[Scene]:
        given = self.scenes if self.scenes is not None else self.scene
        if (given is None) == (self.prompt is None):
            raise SituError(
                "prompt: give a prompt (with phrases and boxes) or scenes, and not both"
            )
        if given is None:
            return self._from_prompts(side)
        if self._phrases is not None or self._boxes is not None:
            raise SituError(
                "phrases: a scene has its own; give boxes and phrases with a prompt only"
            )
        scenes = [given] if isinstance(given, Scene) else list(given)
        for index, scene in enumerate(scenes):
            if not isinstance(scene, Scene):
                raise SituError(f"scenes[{index}] must be a situ.Scene, got {shown(scene)}")
        if not scenes:
            raise SituError("scenes: the list is empty; give at least one")
        return [self._resized(scene) for scene in scenes]

    def _resized(self, scene: Scene) -> Scene:
        return replace(scene, width=self.width or scene.width, height=self.height or scene.height)

    def _from_prompts(self, side: int) -> list[Scene]:
        single = isinstance(self.prompt, str)
        prompts = [self.prompt] if isinstance(self.prompt, str) else list(self.prompt or ())
        if not prompts:
            raise SituError("prompt: the list is empty; give at least one")
        phrases = _per_prompt("phrases", self._phrases, prompts, single)
        boxes = _per_prompt("boxes", self._boxes, prompts, single)
        canvas = self.width or side, self.height or side
        rows = zip(prompts, phrases, boxes, strict=True)
        return [Scene(text, layout(names, corners), *canvas) for text, names, corners in rows]

    @property
    def _phrases(self) -> Any:
        return _one_of("phrases", self.phrases, "gligen_phrases", self.gligen_phrases)

    @property
    def _boxes(self) -> Any:
        return _one_of("boxes", self.boxes, "gligen_boxes", self.gligen_boxes)

    def _seeds(self, count: int) -> tuple[int, ...]:
        if self.seed is not None and self.generator is not None:
            raise SituError("seed: give a seed or a generator, not both")
        if self.generator is not None:
            return tuple(_seeds_of(self.generator, count))
        first = secrets.randbelow(SEEDS - count) if self.seed is None else self.seed
        seeds = range(first, first + count) if isinstance(first, int) else tuple(map(int, first))
        if len(seeds) != count:
            raise SituError(f"seed: {len(seeds)} seeds for {count} pictures; give one for each")
        return tuple(seeds)

    def _sampling(self, guidance: float) -> Sampling:
        beta, gate = self.gligen_scheduled_sampling_beta, self.gate
        if not isinstance(self.negative_prompt, str | None):
            raise SituError("negative_prompt: give one text, which holds for all pictures")
        if beta is not None:
            if gate is not None:
                raise SituError("gate: it says what gligen_scheduled_sampling_beta says; give one")
            gate = (beta, 0.0, 1 - beta)
        return Sampling(
            steps=self.num_inference_steps,
            solver=self.solver,
            guidance=guidance if self.guidance_scale is None else self.guidance_scale,
            interval=self.guidance_interval,
            negative=self.negative_prompt or "",
            gate=tuple(gate) if gate is not None else Sampling.gate,  # pyright: ignore[reportArgumentType]
            eta=self.eta,
            options=self.options,
        )


def layout(phrases: Sequence[str], boxes: Boxes) -> Layout:
    """Phrases and their boxes [x0, y0, x1, y1], in parallel lists."""
    if len(phrases) != len(boxes):
        raise SituError(f"boxes: {len(phrases)} phrases but {len(boxes)} boxes; give one box each")
    objects = []
    for index, (phrase, box) in enumerate(zip(phrases, boxes, strict=True)):
        with at(f"boxes[{index}]"):
            objects.append(Object(phrase, box if isinstance(box, Box) else Box.of(_plain(box))))
    return Layout(tuple(objects))


def method_of(name: str) -> Method:
    if name not in METHODS:
        raise SituError(f"method: {shown(name)} is unknown: {did_you_mean(str(name), METHODS)}")
    return METHODS[name]


def _plain(box: Any) -> Any:
    """Arrays and tensors as lists of Python numbers."""
    return box.tolist() if hasattr(box, "tolist") else box


def _one_of(name: str, ours: Any, foreign: str, theirs: Any) -> Any:
    if ours is not None and theirs is not None:
        raise SituError(f"{name}: {name} and {foreign} mean the same; give one")
    return theirs if ours is None else ours


def _per_prompt(name: str, value: Any, prompts: Sequence[Any], single: bool) -> list[Any]:
    """One list per prompt; nothing means no objects."""
    if value is None:
        return [()] * len(prompts)
    rows = [_plain(value)] if single else list(value)
    nested = all(not isinstance(row, str) and hasattr(row, "__len__") for row in rows)
    if len(rows) != len(prompts) or not nested:
        raise SituError(f"{name}: give one list of {name} for each of the {len(prompts)} prompts")
    return rows


def _drawn(generator: Generator | Sequence[Generator], shape: tuple[int, ...]) -> Tensor:
    """As diffusers draws: one generator fills the batch, a list fills it row by row."""
    if isinstance(generator, Generator):
        return torch.randn(shape, generator=generator, device=generator.device)
    rows = [torch.randn((1, *shape[1:]), generator=g, device=g.device).cpu() for g in generator]
    return torch.cat(rows)


def _seeds_of(generator: Generator | Sequence[Generator], count: int) -> list[int]:
    """Seeds for what is drawn later than the latents: fresh noise, when eta is above 0."""
    if isinstance(generator, Generator):
        return [(generator.initial_seed() + row) % SEEDS for row in range(count)]
    if len(generator) != count:
        raise SituError(f"generator: {len(generator)} for {count} pictures; give one for each")
    return [g.initial_seed() % SEEDS for g in generator]
