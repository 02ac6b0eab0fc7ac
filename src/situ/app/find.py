"""Where a model is: inside this package, in a folder, or in the cache of the Hugging Face hub."""

import re
from pathlib import Path
from typing import Any

from situ.scene import SituError
from situ.scene.errors import did_you_mean, shown

PACKAGE = Path(__file__).parent.parent
BUILT_IN = {
    "storybook": PACKAGE / "storybook/weights/backbone",
    "storybook-goal": PACKAGE / "storybook/weights/goal",
}

# owner/name, and where wanted @ a branch, tag, commit or pull request such as refs/pr/2
HUB_ID = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([A-Za-z0-9][\w./-]*))?")

# What load_backbone reads, and nothing else: no pickle is even downloaded.
HUB_FILES = (
    "aligner.safetensors",
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model*.safetensors",
    "tokenizer/*.json",
    "tokenizer/*.txt",
    "unet/config.json",
    "unet/diffusion_pytorch_model*.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model*.safetensors",
)
WEIGHTS = ("text_encoder/model", "unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model")


def find(name: str) -> Path:
    """The folder of a model: a built-in name, a path, or a hub id as owner/name[@revision]."""
    path = BUILT_IN.get(name) or Path(name).expanduser()
    if path.is_dir():
        return path
    if name in BUILT_IN:
        raise SituError(
            f"model: the weights of {name!r} are not in this installation; reinstall situ"
        )
    if path.exists():
        raise SituError(
            f"model: {name} is a file, a model is a folder; an original GLIGEN checkpoint becomes one "
            "with `situ convert-gligen`"
        )
    found = HUB_ID.fullmatch(name)
    if not found:
        guess = did_you_mean(name, BUILT_IN)
        raise SituError(
            f"model: no folder {shown(name)}; give a folder, a hub id owner/name, or a built-in "
            f"model ({guess})"
        )
    return _from_hub(name, *found.groups())


def networks(folder: Path) -> Path:
    """Where the networks of a found folder are: in it, or in that of its base if it is a difference.

    A base is a built-in model, a hub id, or a folder of its name beside the difference's folder.
    """
    from situ.models.difference import FILE, base_of

    if not (folder / FILE).is_file():
        return folder
    name = base_of(folder / FILE).name
    beside = folder.resolve().parent / name
    return beside if name not in BUILT_IN and beside.is_dir() else find(name)


def known_as(name: str) -> str:
    """What pictures call a model. Of a path they carry the last part only: the rest is private."""
    path = Path(name).expanduser()
    return path.resolve().name if name not in BUILT_IN and path.is_dir() else name


def _from_hub(name: str, repository: str, revision: str | None) -> Path:
    local = _snapshot(repository, revision, local_files_only=True)
    if isinstance(local, Path) and not _missing(local):
        return local
    fetched = _snapshot(repository, revision, local_files_only=False)
    if isinstance(fetched, Exception):
        reason = (str(fetched).strip().splitlines() or [type(fetched).__name__])[0]
        raise SituError(_how_to_get(name, repository, revision, reason))
    if _missing(fetched):
        raise SituError(
            f"model: {name} lacks {', '.join(_missing(fetched))}; if it only has .bin files, which "
            "are pickles and never loaded, look for a revision with safetensors "
            f"(--model {repository}@refs/pr/2, say)"
        )
    return fetched


def _snapshot(repository: str, revision: str | None, local_files_only: bool) -> Path | Exception:
    from huggingface_hub import snapshot_download

    options: dict[str, Any] = {"revision": revision, "allow_patterns": list(HUB_FILES)}
    try:
        return Path(snapshot_download(repository, local_files_only=local_files_only, **options))
    except Exception as error:  # the hub's, the HTTP library's and the system's have no common base
        return error


def _missing(folder: Path) -> list[str]:
    """The weights that are not there, by the names the hub gives them."""
    return [f"{w}.safetensors" for w in WEIGHTS if not list(folder.glob(f"{w}*.safetensors"))]


def _how_to_get(name: str, repository: str, revision: str | None, reason: str) -> str:
    at = f" --revision {revision}" if revision else ""
    return (
        f"model: {name} is neither a folder here nor in the hub's cache, and cannot be fetched "
        f"({reason}); where there is a network run `hf download {repository}{at}`, or put these "
        f"files into one folder and give its path: {', '.join(HUB_FILES)}"
    )
