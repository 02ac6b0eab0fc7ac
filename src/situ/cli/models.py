"""situ export, situ compact and situ convert-gligen: models as the files of other programs, and small."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from situ.cli.terminal import say
from situ.scene import SituError
from situ.scene.errors import did_you_mean, shown

FORMATS = ("diffusers", "comfyui")


@dataclass(frozen=True)
class Export:
    """Write a model as a folder that situ and diffusers load, or as files for ComfyUI."""

    model: Annotated[Positional[str], arg(metavar="NAME|FOLDER|HUB_ID")]
    """A built-in model, a folder or a hub id."""
    folder: Annotated[Positional[Path], arg(metavar="DIR")]
    """The folder to write."""
    dtype: Annotated[str, arg(metavar="float32|bfloat16|float16")] = "float16"
    """Number type of the weights."""
    format: Annotated[str, arg(metavar="diffusers|comfyui")] = "diffusers"
    """A diffusers folder; or gligen.safetensors and unet.safetensors, for ComfyUI's models/gligen and
    models/diffusion_models."""
    base: Annotated[str | None, arg(metavar="NAME|FOLDER|HUB_ID")] = None
    """For ComfyUI: the model this one was tuned from. In place of unet.safetensors what changed of it is
    written as lora.safetensors, for models/loras."""

    def run(self) -> int:
        from situ.app.find import find
        from situ.app.placing import dtype_of

        dtype_of(self.dtype)
        if self.format not in FORMATS:
            raise SituError(f"--format: {shown(self.format)}: {did_you_mean(self.format, FORMATS)}")
        if find(self.model).resolve() == self.folder.resolve():
            raise SituError(
                f"export: {self.folder} would be written over itself; give another folder"
            )
        return self._comfyui() if self.format == "comfyui" else self._diffusers()

    def _diffusers(self) -> int:
        from situ.app.load import load

        if self.base is not None:
            raise SituError("--base: only --format comfyui writes what changed of a base")
        load(self.model).save_pretrained(self.folder, self.dtype)
        say(f"{self.model} written to {self.folder}")
        return 0

    def _comfyui(self) -> int:
        from situ.app.load import load
        from situ.app.placing import dtype_of
        from situ.models.comfyui import write_comfyui

        base = load(self.base).backbone if self.base is not None else None
        files = write_comfyui(load(self.model).backbone, self.folder, dtype_of(self.dtype), base)
        say(f"{self.model} written to {', '.join(map(str, files))}")
        return 0


@dataclass(frozen=True)
class Compact:
    """Write the difference of a tuned model in fewer bytes."""

    difference: Annotated[Positional[Path], arg(metavar="FILE.safetensors")]
    """A difference, as training writes it."""
    out: Annotated[Positional[Path], arg(metavar="FILE.safetensors")]
    """The file to write."""
    most_bytes: int
    """Its largest size."""

    def run(self) -> int:
        from situ.models.difference import compact

        kept = compact(self.difference, self.out, self.most_bytes)
        error = f"{100 * kept.error:.2g} %"
        say(f"{self.out}: {kept.bytes} bytes, {kept.form}, {error} off the given difference")
        return 0


@dataclass(frozen=True)
class ConvertGligen:
    """Make a diffusers folder of an original GLIGEN checkpoint (a pickle, read without running it)."""

    checkpoint: Annotated[Positional[Path], arg(metavar="FILE.bin")]
    """GLIGEN's own file, such as diffusion_pytorch_model.bin of gligen/gligen-generation-text-box."""
    folder: Annotated[Positional[Path], arg(metavar="DIR")]
    """The folder to write, which must not exist."""
    tokenizer: Annotated[Path, arg(metavar="DIR")]
    """The tokenizer folder of any Stable Diffusion 1.x, which the checkpoint lacks."""

    def run(self) -> int:
        from situ.models.gligen_convert import convert

        convert(self.checkpoint, self.folder, self.tokenizer)
        say(f"{self.checkpoint} converted to {self.folder}")
        return 0
