"""A loaded model that draws: the calls of a diffusers pipeline, around the methods of this package."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Generator, Tensor

from situ.app.find import find, known_as, networks
from situ.app.order import Boxes, Order, method_of
from situ.app.placing import device_of, dtype_name, dtype_of
from situ.app.run import Run
from situ.app.settings import OPTION_NAMES, settled
from situ.diffusion.sampler import Frame
from situ.methods.plan import Request, Sampling
from situ.models.backbone import Backbone
from situ.models.chatter import hushed
from situ.models.difference import FILE as DIFFERENCE
from situ.models.difference import load_difference
from situ.models.folder import load_backbone, save_backbone
from situ.scene import Scene, SituError
from situ.scene.errors import did_you_mean, shown
from situ.scene.fields import number

if TYPE_CHECKING:
    from PIL.Image import Image

GUIDANCE_KEY = "_situ_guidance"  # in model_index.json: the guidance a model was tuned for
GUIDANCE = 7.5  # Stable Diffusion's and GLIGEN's
OUTPUTS = ("pil", "np", "pt", "latent")
TENSORS = ("latents", "z0")  # what a callback may ask for

Callback = Callable[["Pipeline", int, int, dict[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True, eq=False)
class Result:
    """`images` is of the output_type that was asked for; scenes and seeds run in parallel with it."""

    images: Any
    scenes: tuple[Scene, ...]
    seeds: tuple[int, ...]


class Pipeline:
    """Captions and boxes in, pictures out.

    exact: draw every picture as a batch of its own, so that it is equal bit for bit whatever is drawn
    beside it (situ.app.run). On a CPU, where that costs little, it is the default.
    """

    def __init__(
        self, backbone: Backbone, guidance: float = GUIDANCE, exact: bool | None = None
    ) -> None:
        self.backbone = backbone
        self.guidance = guidance
        self.exact = backbone.device.type == "cpu" if exact is None else exact
        self._interrupt = False

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | Path,
        torch_dtype: str | torch.dtype = "float32",
        device: str = "cpu",
        aligner: str | Path | None = None,
    ) -> Self:
        """Load a built-in model, a diffusers folder, the folder of a difference from one of these, or a
        hub id. Raises SituError with what is missing.

        aligner: the file of HCMA's network, where it is not the one in the model's folder.
        """
        dtype, place = dtype_of(torch_dtype), device_of(str(device))
        folder = find(str(name_or_path))
        backbone = _loaded(folder, dtype, place, known_as(str(name_or_path)))
        if aligner is not None:
            backbone = replace(backbone, aligner=Path(aligner).expanduser())
        return cls(backbone, _guidance(networks(folder)))

    def save_pretrained(self, folder: str | Path, dtype: str | torch.dtype = "float16") -> None:
        """Write a folder that `from_pretrained`, ours and diffusers', reads. Raises SituError for the
        folder of a difference, which would still be read in place of what is written."""
        folder = Path(folder)
        if (folder / DIFFERENCE).exists():
            raise SituError(f"{folder} holds a {DIFFERENCE}; give another folder")
        with hushed():
            save_backbone(self.backbone, folder, dtype_of(dtype), {GUIDANCE_KEY: self.guidance})

    @property
    def device(self) -> torch.device:
        return self.backbone.device

    @property
    def dtype(self) -> torch.dtype:
        return self.backbone.dtype

    @property
    def source(self) -> dict[str, str]:
        """What a picture says about the model that drew it."""
        backbone = self.backbone
        dtype = dtype_name(backbone.dtype)
        return {"name": backbone.name, "weights": backbone.weights_hash, "dtype": dtype}

    def to(self, device: str) -> Self:
        """Move every network, in place."""
        place = device_of(str(device))
        self.backbone.to(place)
        self.exact = place.type == "cpu"
        return self

    def interrupt(self) -> None:
        """Stop the running call after its present step; it returns what can be seen by then."""
        self._interrupt = True

    def __call__(
        self,
        prompt: str | Sequence[str] | None = None,
        *,
        phrases: Sequence[str] | Sequence[Sequence[str]] | None = None,
        boxes: Boxes | Sequence[Boxes] | None = None,
        scene: Scene | Sequence[Scene] | None = None,
        scenes: Sequence[Scene] | None = None,
        method: str = "gligen",
        num_inference_steps: int = 50,
        guidance_scale: float | None = None,
        negative_prompt: str | None = "",
        seed: int | Sequence[int] | None = None,
        generator: Generator | Sequence[Generator] | None = None,
        num_images_per_prompt: int = 1,
        output_type: str = "pil",
        callback_on_step_end: Callback | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
        **more: Any,
    ) -> Result:
        """Draw pictures.

        prompt, phrases, boxes: a caption, and things in it with boxes [x0, y0, x1, y1] in 0..1; for a
          list of prompts, a list of each. Or scene / scenes. (gligen_phrases, gligen_boxes: the same.)
        method: one of situ.methods. guidance_scale: by default what the model was tuned for.
        seed: one for each picture, or the first of successive ones. generator: a torch.Generator, or
          one for each picture, that draws the first latents, as in diffusers.
        output_type: "pil", "np" [B, H, W, 3] or "pt" [B, 3, H, W] in 0..1, or "latent" [B, C, h, w].
        callback_on_step_end: (pipe, i, t, {"latents": z}) -> a dict whose "latents" replace z.
        more: solver, eta, gate (open, closing, shut) or gligen_scheduled_sampling_beta,
          guidance_interval, latents, width, height; and the options of the method (situ.methods).
        """
        _check_outputs(output_type, callback_on_step_end_tensor_inputs)
        asked = {
            "prompt": prompt,
            "phrases": phrases,
            "boxes": boxes,
            "scene": scene,
            "scenes": scenes,
            "method": method,
            "num_inference_steps": num_inference_steps,
            "guidance_scale": guidance_scale,
            "negative_prompt": negative_prompt,
            "seed": seed,
            "generator": generator,
            "num_images_per_prompt": num_images_per_prompt,
        }
        run = self.run_order(_order({**asked, **more}))
        self._interrupt = False
        frame = None
        for frame in run:
            if callback_on_step_end:
                wanted = callback_on_step_end_tensor_inputs
                _call_back(self, callback_on_step_end, run, frame, wanted)
            if self._interrupt:
                break
        z = run.z if frame is None or not self._interrupt else frame.z0
        return Result(self._output(z, output_type), run.request.scenes, run.request.seeds)

    def frames(self, prompt: str | Sequence[str] | None = None, **more: Any) -> Iterator[Frame]:
        """The run step by step, for the arguments of a call: z and z0 [B, C, h, w] of each Frame.

        `pipe.pictures(frame.z0)` shows what is there so far; whoever stops iterating has cancelled.
        """
        yield from self.run_order(_order({"prompt": prompt, **more}))

    def run_order(self, order: Order) -> Run:
        request = order.request(self.backbone.size, self.guidance)
        noise = order.noise(self.backbone, request)
        return self.run(request, order.method, noise)

    def run(self, request: Request, method: str = "gligen", latents: Tensor | None = None) -> Run:
        """The run of a request, to be iterated; `run.z` is where its latents are."""
        chosen = method_of(method)
        sampling = settled(request.sampling, method, self.backbone)
        return Run(self.backbone, chosen, replace(request, sampling=sampling), latents, self.exact)

    def decode(self, z: Tensor) -> Tensor:
        """Latents [B, C, h, w] to pictures [B, 3, H, W] in 0..1, in fp32."""
        if not self.exact:
            return self.backbone.decode(z)
        return torch.cat([self.backbone.decode(row.clone()) for row in z.split(1)])

    def pictures(self, z: Tensor) -> list["Image"]:
        """Latents [B, C, h, w] as PIL images."""
        from PIL.Image import fromarray

        pixels = (self.decode(z) * 255).round().to("cpu", torch.uint8).permute(0, 2, 3, 1)
        return [fromarray(picture) for picture in pixels.numpy()]

    def default_sampling(self, **changes: Any) -> Sampling:
        """The settings of a call that says nothing else."""
        return Sampling(**{"guidance": self.guidance, **changes})

    def _output(self, z: Tensor, kind: str) -> Any:
        if kind == "latent":
            return z
        if kind == "pil":
            return self.pictures(z)
        pixels = self.decode(z)
        return pixels if kind == "pt" else pixels.permute(0, 2, 3, 1).cpu().numpy()


def _order(arguments: Mapping[str, Any]) -> Order:
    known = (*Order.__dataclass_fields__, *OPTION_NAMES)
    for name in arguments:
        if name not in known:
            raise TypeError(f"unknown argument {shown(name)}: {did_you_mean(name, known)}")
    options = {name: value for name, value in arguments.items() if name in OPTION_NAMES}
    plain = {name: value for name, value in arguments.items() if name not in options}
    return Order(**{"options": options, **plain})


def _check_outputs(output_type: str, tensors: Sequence[str]) -> None:
    if output_type not in OUTPUTS:
        raise SituError(f"output_type: {shown(output_type)}: {did_you_mean(output_type, OUTPUTS)}")
    for name in tensors:
        if name not in TENSORS:
            allowed = did_you_mean(name, TENSORS)
            raise SituError(f"callback_on_step_end_tensor_inputs: {shown(name)}: {allowed}")


def _call_back(
    pipe: Pipeline, callback: Callback, run: Run, frame: Frame, wanted: Sequence[str]
) -> None:
    state = {"latents": frame.z.clone(), "z0": frame.z0}  # a copy, which may be changed in place
    answer = callback(pipe, frame.step.i, frame.step.t, {name: state[name] for name in wanted})
    z = (answer or {}).get("latents")
    if z is None:
        return
    if z.shape != frame.z.shape:
        raise SituError(f"latents: a callback gave {tuple(z.shape)}; keep {tuple(frame.z.shape)}")
    run.replace(z)


def _loaded(folder: Path, dtype: torch.dtype, device: torch.device, name: str) -> Backbone:
    try:
        with hushed():
            if (folder / DIFFERENCE).is_file():
                base = networks(folder)
                return load_difference(folder / DIFFERENCE, base, dtype, str(device), name)
            return load_backbone(folder, dtype, str(device), name)
    except SituError:
        raise
    except Exception as error:  # of a broken file tokenizers, diffusers ... say all kinds of things
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SituError(f"model: {folder} cannot be loaded: {reason}") from error


def _guidance(folder: Path) -> float:
    return number(_json(folder / "model_index.json").get(GUIDANCE_KEY, GUIDANCE), GUIDANCE_KEY)


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
