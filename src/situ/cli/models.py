"""situ export and situ convert-gligen: models as diffusers folders."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from situ.cli.terminal import say
from situ.scene import SituError


@dataclass(frozen=True)
class Export:
    """Write a model as a folder that situ and diffusers load."""

    model: Annotated[Positional[str], arg(metavar="NAME|FOLDER|HUB_ID")]
    """A built-in model, a folder or a hub id."""
    folder: Annotated[Positional[Path], arg(metavar="DIR")]
    """The folder to write."""
    dtype: Annotated[str, arg(metavar="float32|bfloat16|float16")] = "float16"
    """Number type of the weights."""

    def run(self) -> int:
        from situ.app.find import find
        from situ.app.load import load
        from situ.app.placing import dtype_of

        dtype_of(self.dtype)
        if find(self.model).resolve() == self.folder.resolve():
            raise SituError(
                f"export: {self.folder} would be written over itself; give another folder"
            )
        load(self.model).save_pretrained(self.folder, self.dtype)
        say(f"{self.model} written to {self.folder}")
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
