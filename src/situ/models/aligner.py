"""The aligner of HCMA: a small vision transformer that reads noisy latents in the words of a text encoder.

It says what the whole latent shows (C2IA, section 3.3.1) and what each box shows (O2RA, section 3.3.2),
both as vectors of the text encoder's space, so that a cosine with a caption or phrase tells how well they
fit. Tokens lie row by row: row = y, column = x, as in `ops.masks`. Any latent size will do.
"""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from situ.files.atomic import replace
from situ.files.weights import check_weights, read_weights, weights_hash
from situ.models.backbone import Backbone
from situ.models.folder import ALIGNER
from situ.ops.fourier import fourier_features
from situ.ops.masks import cell_centres, coverage
from situ.scene import SituError
from situ.scene.fields import check_choices, check_least

NOISES = ("log_snr", "t", "none")
POOLS = ("box", "all")
FREQUENCIES = 8
LOG_SNR_UNIT = 10.0  # log-SNR of the usual schedules lies within -8..8
T_UNIT = 1000.0
PROBE_TEXT = "a red house to the left of two small dogs, at night"
PROBE_SIDE = 64  # pixels
SAME = 0.1  # relative distance below which two encoders agree: half precision stays under 0.02


@dataclass(frozen=True)
class AlignerConfig:
    """What an aligner is made of; the defaults are the paper's, for SD's latents.

    noise: what it is told about the noise: its log-SNR, the literal timestep, or nothing (the paper
    lists t among the inputs of eq. 4 and feeds it nowhere). pool: the mean over the cells of a box,
    weighted by coverage, or the literal mean over all cells, in which small boxes nearly vanish.
    """

    channels: int = 4
    patch: int = 4  # latent cells along the side of a token
    width: int = 512  # d_v
    blocks: int = 6
    heads: int = 8
    text_width: int = 768  # d_t = d_l
    noise: str = "log_snr"
    pool: str = "box"

    def __post_init__(self) -> None:
        check_choices(self, "aligner", {"noise": NOISES, "pool": POOLS})
        names = ("channels", "patch", "width", "blocks", "heads", "text_width")
        check_least(self, "aligner", 1, *names)
        if self.width % self.heads:
            raise SituError(f"aligner: width {self.width} must divide by its {self.heads} heads")


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What the transformer sees in a latent, before either head."""

    scene: Tensor  # [B, d_v], from the [CLS] token
    cells: Tensor  # [B, rows, columns, d_v]


class Block(nn.Module):
    """Pre-norm attention and feed-forward (Dosovitskiy et al. 2021)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.ff = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """[B, n, width] -> [B, n, width]"""
        parts = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # [B, heads, n, d] each
        x = x + self.out(_attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.ff(self.norm2(x))


class Aligner(nn.Module):
    """A noisy latent, and boxes on it, to vectors of the text space."""

    def __init__(self, config: AlignerConfig) -> None:
        super().__init__()
        self.config = config
        width, text = config.width, config.text_width
        self.patches = mlp(config.channels * config.patch**2, width, width)
        self.places = nn.Linear(4 * FREQUENCIES, width)
        self.noise = None if config.noise == "none" else mlp(2 * FREQUENCIES, width, width)
        self.cls = nn.Parameter(0.02 * torch.randn(width))
        self.blocks = nn.Sequential(*(Block(width, config.heads) for _ in range(config.blocks)))
        self.norm = nn.LayerNorm(width)
        self.to_caption = mlp(width, width, width, text)
        self.to_phrase = mlp(width, width, text)

    def forward(self, z: Tensor, abar: Tensor, t: Tensor) -> Features:
        """z [B, C, h, w] whose noise is told by abar [B] and t [B]."""
        rows, columns = self.grid(z)
        tokens = self.patches(functional.pixel_unshuffle(z, self.config.patch).flatten(2).mT)
        places = self.places(_places(rows, columns, z.device).to(z.dtype))
        tokens = torch.cat([self.cls.expand(len(z), 1, -1), tokens + places], 1)
        if self.noise is not None:
            level = fourier_features(self._level(abar, t)[:, None], FREQUENCIES).to(z.dtype)
            tokens = tokens + self.noise(level)[:, None]
        seen = self.norm(self.blocks(tokens))
        return Features(seen[:, 0], seen[:, 1:].unflatten(1, (rows, columns)))

    def captions(self, features: Features) -> Tensor:
        """f_G [B, text_width]: the whole latent in the text space (C2IA)."""
        return self.to_caption(features.scene)

    def phrases(self, features: Features, boxes_xyxy: Tensor) -> Tensor:
        """f_L [B, M, text_width] of boxes [B, M, 4]: what each shows, in the text space (O2RA)."""
        rows, columns = features.cells.shape[1:3]
        return self.pooled(features, self.shares(boxes_xyxy.to(features.cells), rows, columns))

    def shares(self, boxes_xyxy: Tensor, rows: int, columns: int) -> Tensor:
        """What each token gives to each box: [B, M, 4] -> [B, M, rows * columns]. No z enters."""
        inside = coverage(boxes_xyxy, rows, columns).flatten(2)
        whole = inside.sum(-1, keepdim=True) if self.config.pool == "box" else rows * columns
        return inside / torch.as_tensor(whole).to(inside).clamp_min(1e-6)

    def pooled(self, features: Features, shares: Tensor) -> Tensor:
        """f_L of boxes that are given by their `shares` [B, M, n]."""
        return self.to_phrase(shares @ features.cells.flatten(1, 2))

    def grid(self, z: Tensor) -> tuple[int, int]:
        """Rows and columns of tokens. Raises SituError where patches do not fit the latent."""
        (_, channels, height, width), patch = z.shape, self.config.patch
        if channels != self.config.channels or height % patch or width % patch:
            raise SituError(
                f"aligner: a latent of {channels} x {height} x {width} does not fit; it reads "
                f"{self.config.channels} channels in patches of {patch} x {patch} cells"
            )
        return height // patch, width // patch

    def _level(self, abar: Tensor, t: Tensor) -> Tensor:
        if self.config.noise == "t":
            return t.float() / T_UNIT
        return abar.float().logit() / LOG_SNR_UNIT


@lru_cache(16)
@torch.inference_mode(False)  # or what is cached could never be trained with
def _places(rows: int, columns: int, device: torch.device) -> Tensor:
    """Fourier features of the middle of every token, [rows * columns, 4 * FREQUENCIES] in fp32."""
    return fourier_features(cell_centres(rows, columns, device), FREQUENCIES).flatten(0, 1)


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with GELU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.GELU(), nn.Linear(before, after)]
    return nn.Sequential(*layers[1:])


def omega(seen: Tensor, texts: Tensor) -> Tensor:
    """1 - cosine over the last axis, in 0..2: eq. 6 for captions, a summand of eq. 7 for phrases."""
    return 1 - functional.cosine_similarity(seen, texts.to(seen), dim=-1)


def mean_over_boxes(values: Tensor, masks: Tensor) -> Tensor:
    """Values [B, M] averaged over the boxes that are there: [B]; 0 where there is none (eq. 7)."""
    kept = torch.where(masks > 0, values, 0)
    return kept.sum(1) / masks.sum(1).clamp_min(1).to(values)


def _attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """On a CPU the way back through plain products is twice as fast as through the fused kernel."""
    if q.device.type != "cpu":
        return functional.scaled_dot_product_attention(q, k, v)
    return (q @ k.mT * q.shape[-1] ** -0.5).softmax(-1) @ v


@dataclass(frozen=True, slots=True, eq=False)
class Spaces:
    """Between what an aligner stands, shown by one sample: the latent of a picture, the vector of a text.

    Encoders that give the same samples are the same for an aligner, whatever their precision, their file
    or the decoder that belongs to them.
    """

    latent: Tensor  # [C, h, w] fp32
    text: Tensor  # [D] fp32

    @classmethod
    @torch.no_grad()
    def of(cls, backbone: Backbone) -> "Spaces":
        pixels = _probe_picture().to(backbone.device)
        latent = backbone.autoencoder.encode(pixels)[0].float().cpu()
        return cls(latent, backbone.encode([PROBE_TEXT]).pooled[0].float().cpu())

    def differing(self, other: "Spaces") -> str | None:
        """The part in which the other one differs, or None."""
        if not _agree(self.latent, other.latent):
            return "autoencoder"
        return None if _agree(self.text, other.text) else "text encoder"


def save_aligner(
    path: Path, aligner: Aligner, spaces: Spaces, dtype: torch.dtype = torch.float16
) -> None:
    """One safetensors file: weights, config and the spaces it stands between. Atomic."""
    tensors = {f"aligner.{name}": value.to(dtype) for name, value in aligner.state_dict().items()}
    tensors |= {"spaces.latent": spaces.latent, "spaces.text": spaces.text}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    metadata = {"situ_aligner": json.dumps(asdict(aligner.config))}
    replace(path, lambda temporary: save_file(tensors, temporary, metadata))


def load_aligner(path: Path) -> tuple[Aligner, Spaces]:
    """An aligner in fp32, and where it belongs. Raises SituError that names the file if it is none."""
    with torch.device("meta"):  # its numbers come from the file, so none are drawn
        aligner = Aligner(_config(path))
    # a copy even of fp32: where a tensor lies in a file must not decide which kernel multiplies it
    tensors = {n: value.to(torch.float32, copy=True) for n, value in read_weights(path).items()}
    weights = _part(tensors, "aligner.")
    expected = aligner.state_dict()
    wrong = weights.keys() ^ expected.keys()
    wrong |= {n for n in weights.keys() - wrong if weights[n].shape != expected[n].shape}
    if wrong or not {"spaces.latent", "spaces.text"} <= tensors.keys():
        name = min(wrong, default="spaces")
        raise SituError(f"{path}: {name!r} does not fit its config; the file is not whole")
    aligner.load_state_dict(weights, assign=True)
    return aligner.eval().requires_grad_(False), Spaces(**_part(tensors, "spaces."))


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """An aligner that belongs to a backbone, on its device, and the hash of its file."""

    aligner: Aligner
    hash: str


_fitted: WeakKeyDictionary[Backbone, dict[tuple[Path, int], Fitted]] = WeakKeyDictionary()


def fitted(backbone: Backbone) -> Fitted:
    """The backbone's aligner, read and checked once. Raises SituError if there is none or it is another's."""
    path = backbone.aligner
    if path is None or not path.is_file():
        raise SituError(
            f"aligner: {path or f'{backbone.name} has none'}"
            f"{' is missing' if path else ''}; give the file of one, or put it as {ALIGNER} into the "
            "folder of the model"
        )
    known, key = _fitted.setdefault(backbone, {}), (path, path.stat().st_mtime_ns)
    if key not in known:
        known[key] = _fit(path, backbone)
    known[key].aligner.to(backbone.device)
    return known[key]


def _fit(path: Path, backbone: Backbone) -> Fitted:
    aligner, spaces = load_aligner(path)
    other = spaces.differing(Spaces.of(backbone))
    if other:
        raise SituError(
            f"aligner: {path} belongs to another {other} than that of {backbone.name}; train one for "
            "it (recipes/storybook-aligner.toml shows how), or load the model that it belongs to"
        )
    return Fitted(aligner, weights_hash([path]))


def _config(path: Path) -> AlignerConfig:
    check_weights(path)
    with safe_open(path, "pt") as file:
        told = (file.metadata() or {}).get("situ_aligner")
    if told is None:
        raise SituError(f"aligner: {path} holds other weights; it was not written as an aligner")
    try:
        return AlignerConfig(**json.loads(told))
    except (TypeError, ValueError) as error:
        raise SituError(f"{path}: its config cannot be read: {error}") from None


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Any]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _agree(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool((one - other).norm() <= SAME * other.norm())


def _probe_picture() -> Tensor:
    """Waves of three colours, [1, 3, 64, 64] in [-1, 1]."""
    x, y = cell_centres(PROBE_SIDE, PROBE_SIDE).unbind(-1)
    waves = ((7 * x + 3 * y).sin(), (11 * x * y).cos(), (5 * y - 13 * x).sin())
    return torch.stack(waves)[None]
