"""The placer: a small transformer that says where the things of a symbolic scene go, and how large they are.

Boxes are drawn one after the other, each as four discrete values, as the LayoutTransformer does (Gupta et
al., ICCV 2021). Unlike there the things are given: each by the words of its phrase, and in pairs by what is
said of them, which enters attention as edges do in relation-aware self-attention (Shaw et al. 2018). Sizes
come before places, for a place depends on the size.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from situ.files.atomic import replace, write_bytes
from situ.files.weights import read_weights
from situ.scene import Box, SituError

MOST = 30  # things of a scene
COORDINATES = 4  # width, height, centre x, centre y: the order in which they are drawn
PAIRS = (  # a predicate and how its object stands to its subject
    ("left of", "right of"), ("above", "below"), ("on", "under"), ("inside", "around it"),
    ("in front of", "behind"), ("wearing", "worn by"), ("holding", "held by"), ("riding", "ridden by"),
    ("larger", "smaller"), ("next to", "next to"), ("near", "near"), ("around", "amid"),
    ("between", "beside"),
)  # fmt: skip
INVERSES = dict(PAIRS) | {b: a for a, b in PAIRS}
PREDICATES = tuple(INVERSES)
UNRELATED, SAME = 0, len(PREDICATES) + 1
EDGES = len(PREDICATES) + 2
PLACES = (
    "", "left", "right", "top", "bottom", "middle",
    "top left", "top right", "bottom left", "bottom right",
)  # fmt: skip
HEAD_GRAMS, OTHER_GRAMS = 16, 32  # the most that are read of a noun and of all the words before it
PREFIX, CONTENT, QUERY = range(3)
CONFIG, WEIGHTS = "config.json", "model.safetensors"

Batch = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Query:
    """Things to place: phrases, (subject, predicate, object) by number, and parts of the picture."""

    phrases: tuple[str, ...]
    relations: tuple[tuple[int, str, int], ...] = ()
    places: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.phrases) <= MOST:
            raise SituError(f"the placer places 1 to {MOST} things, not {len(self.phrases)}")


@dataclass(frozen=True)
class PlacerConfig:
    """Sizes of the network, and the nouns it was trained on."""

    width: int = 72
    layers: int = 4
    heads: int = 4
    bins: int = 64
    buckets: int = 768
    nouns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise SituError(f"width: {self.width} must divide by the {self.heads} heads")


class Placer(nn.Module):
    """Logits of every coordinate of every box, given the things and the boxes before it."""

    def __init__(self, config: PlacerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.grams = nn.Embedding(config.buckets + 1, width, padding_idx=0)
        self.of_others = nn.Linear(width, width, bias=False)
        self.place = nn.Embedding(len(PLACES), width)
        self.count = nn.Embedding(MOST + 1, width)
        self.role = nn.Embedding(2 + COORDINATES, width)  # prefix, content, a query per coordinate
        self.values = nn.Embedding(COORDINATES * config.bins, width)
        self.blocks = nn.ModuleList(_Block(width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.says = nn.Linear(width, COORDINATES * config.bins)
        _begin_(self, config.bins)

    def forward(self, batch: Batch) -> Tensor:
        """A batch of `encode` with `bins` [B, N, 4] to logits [B, N, 4, bins]; each sees what is before."""
        things, bins = self.things(batch), batch["bins"]
        number = things.shape[1]
        values = self._values(bins)  # [B, N, 4, width]
        known = functional.pad(
            values[:, :, :-1].cumsum(2), (0, 0, 1, 0)
        )  # what a query has of its own box
        asked = things[:, :, None] + known + self.role.weight[QUERY:]
        contents = things + values.sum(2) + self.role.weight[CONTENT]
        x = torch.cat([things + self.role.weight[PREFIX], contents, asked.flatten(1, 2)], 1)
        owner, seen = _order(number, x.device)
        seen = (
            seen
            & torch.cat([batch["there"]] * 2 + [batch["there"].repeat_interleave(4, 1)], 1)[:, None]
        )
        edges = batch["edges"][:, owner][:, :, owner]
        x = self._through(x, edges, seen)[:, 2 * number :]
        logits = self.says(x).unflatten(1, (number, COORDINATES))
        return _own(logits, self.config.bins)

    def things(self, batch: Batch) -> Tensor:
        """What is known of each thing before it has a place, [B, N, width]."""
        heads = self._mean(batch["heads"])
        others = self.of_others(self._mean(batch["others"]))
        count = self.count(batch["there"].sum(1))[:, None]
        return heads + others + self.place(batch["places"]) + count

    @torch.no_grad()
    def draw(self, batch: Batch, rng: torch.Generator, temperature: float, top: float) -> Tensor:
        """Boxes [B, N, 4] as width, height, centre x, centre y, drawn one by one.

        temperature 0 takes the likeliest value; of the others, only the likeliest that together make `top`
        are drawn (nucleus sampling, Holtzman et al. 2020).
        """
        things = self.things(batch)
        size, number, _ = things.shape
        prefix = things + self.role.weight[PREFIX]
        contents, boxes = [], []
        for i in range(number):
            known, chosen = things[:, i], []
            order = torch.tensor([*range(number), *range(i), i], device=things.device)
            edges = batch["edges"][:, order][:, :, order]
            seen = _order_of_step(number, i, batch["there"])
            for k in range(COORDINATES):
                asked = known + self.role.weight[QUERY + k]
                x = torch.stack([*prefix.unbind(1), *contents, asked], 1)
                logits = self.says(self._through(x, edges, seen)[:, -1])
                logits = logits.unflatten(-1, (COORDINATES, -1))[:, k]
                value = _drawn(logits, rng, temperature, top)
                known = known + self._value(value, k)
                chosen.append(value)
            contents.append(known + self.role.weight[CONTENT])
            boxes.append(torch.stack(chosen, 1))
        bins = torch.stack(boxes, 1)  # [B, N, 4]
        inside = torch.rand(size, number, COORDINATES, generator=rng) if temperature else 0.5
        return (bins + inside) / self.config.bins

    def _through(self, x: Tensor, edges: Tensor, seen: Tensor) -> Tensor:
        one_hot = functional.one_hot(edges, EDGES).to(x.dtype)
        for block in self.blocks:
            x = block(x, edges, one_hot, seen)
        return self.norm(x)

    def _mean(self, grams: Tensor) -> Tensor:
        """Mean embedding of the grams [B, N, G] of each thing; 0 is no gram."""
        count = (grams > 0).sum(-1, keepdim=True).clamp(min=1)
        return self.grams(grams).sum(-2) / count

    def _values(self, bins: Tensor) -> Tensor:
        offsets = torch.arange(COORDINATES, device=bins.device) * self.config.bins
        return self.values(bins + offsets)

    def _value(self, value: Tensor, k: int) -> Tensor:
        return self.values(value + k * self.config.bins)


class _Block(nn.Module):
    """Attention whose scores and values depend on the edge between two things, then a perceptron."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.middle = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.edge_scores = nn.Parameter(torch.zeros(heads, EDGES))
        self.edge_values = nn.Parameter(torch.zeros(heads, EDGES, width // heads))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, edges: Tensor, one_hot: Tensor, seen: Tensor) -> Tensor:
        """x [B, L, width], edges [B, L, L], one_hot [B, L, L, EDGES], seen [B, L, L]."""
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.qkv(self.before(x)).chunk(3, -1)
        )  # [B, heads, L, width / heads]
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        scores = scores + self.edge_scores[:, edges].transpose(0, 1)
        shares = scores.masked_fill(~seen[:, None], -1e9).softmax(-1)  # [B, heads, L, L]
        by_edge = torch.einsum("bhij,bijr->bhir", shares, one_hot)
        found = shares @ v + torch.einsum("bhir,hrd->bhid", by_edge, self.edge_values)
        x = x + self.out(found.transpose(1, 2).flatten(2))
        return x + self.down(functional.gelu(self.up(self.middle(x))))


def encode(queries: Sequence[Query], buckets: int, device: torch.device | str = "cpu") -> Batch:
    """Tensors of some queries: heads and others [B, N, G], edges [B, N, N], places and there [B, N]."""
    number = max(len(query.phrases) for query in queries)
    heads = torch.zeros(len(queries), number, HEAD_GRAMS, dtype=torch.long)
    others = torch.zeros(len(queries), number, OTHER_GRAMS, dtype=torch.long)
    edges = torch.zeros(len(queries), number, number, dtype=torch.long)
    places = torch.zeros(len(queries), number, dtype=torch.long)
    there = torch.zeros(len(queries), number, dtype=torch.bool)
    for b, query in enumerate(queries):
        there[b, : len(query.phrases)] = True
        for i, phrase in enumerate(query.phrases):
            head, other = _grams(phrase, buckets)
            heads[b, i, : len(head)] = torch.tensor(head)
            others[b, i, : len(other)] = torch.tensor(other, dtype=torch.long)
        for i, place in enumerate(query.places):
            places[b, i] = PLACES.index(place) if place in PLACES else 0
        for subject, predicate, landmark in reversed(query.relations):  # the first said counts
            edges[b, subject, landmark] = PREDICATES.index(predicate) + 1
            edges[b, landmark, subject] = PREDICATES.index(INVERSES[predicate]) + 1
    edges.diagonal(dim1=1, dim2=2).fill_(SAME)
    batch = {"heads": heads, "others": others, "edges": edges, "places": places, "there": there}
    return {name: rows.to(device) for name, rows in batch.items()}


def to_bins(boxes: Sequence[Box], bins: int) -> list[list[int]]:
    """Width, height, centre x and centre y of each box as bins."""
    values = ((b.width, b.height, *b.center) for b in boxes)
    return [[min(int(v * bins), bins - 1) for v in four] for four in values]


def noun_of(phrase: str) -> str:
    """The word that names the kind: of "red cup of tea" cup."""
    return phrase.split(" of ")[0].split(" with ")[0].split()[-1].lower()


def save_placer(placer: Placer, folder: Path) -> None:
    """config.json and the weights as fp16 safetensors."""
    from safetensors.torch import save_file

    tensors = {name: value.half().contiguous().cpu() for name, value in placer.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    config = json.dumps(asdict(placer.config), indent=2)
    write_bytes(folder / CONFIG, f"{config}\n".encode())
    replace(folder / WEIGHTS, lambda path: save_file(tensors, path, {"format": "pt"}))


def load_placer(folder: Path) -> Placer:
    """A placer as `save_placer` wrote it. Raises SituError naming the file that is missing or wrong."""
    path = folder / CONFIG
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        config = PlacerConfig(**{**values, "nouns": tuple(values["nouns"])})
    except FileNotFoundError:
        raise SituError(
            f"{path} is missing; a placer is a folder with {CONFIG} and {WEIGHTS}"
        ) from None
    except (ValueError, TypeError, KeyError) as error:
        raise SituError(f"{path} is not the configuration of a placer: {error}") from None
    placer = Placer(config)
    weights = {name: value.float() for name, value in read_weights(folder / WEIGHTS).items()}
    try:
        placer.load_state_dict(weights)
    except RuntimeError:
        raise SituError(f"{folder / WEIGHTS} does not fit {CONFIG} beside it") from None
    return placer.eval().requires_grad_(False)


@lru_cache(maxsize=100_000)
def _grams(phrase: str, buckets: int) -> tuple[list[int], list[int]]:
    """Buckets of the noun's and of the other words' letters in threes, and of the words as wholes, as
    fastText (Bojanowski et al. 2017) has them: a word that was never seen shares some with its like."""
    words = phrase.lower().split()
    noun = noun_of(phrase)
    rest = list(words)
    rest.remove(noun)
    head = [_bucket(g, buckets) for g in _parts(noun)]
    other = [_bucket(g, buckets) for word in rest for g in _parts(word)]
    return head[:HEAD_GRAMS], other[:OTHER_GRAMS]


def _parts(word: str) -> list[str]:
    closed = f"<{word}>"
    return [closed, *(closed[i : i + 3] for i in range(len(closed) - 2))]


def _bucket(gram: str, buckets: int) -> int:
    return zlib.crc32(gram.encode()) % buckets + 1


def _order(number: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """For prefix, contents and queries of N things: the thing of each, and which sees which, [6N, 6N]."""
    things = torch.arange(number, device=device)
    owner = torch.cat([things, things, things.repeat_interleave(COORDINATES)])
    kind = torch.cat([torch.full_like(things, PREFIX), torch.full_like(things, CONTENT)])
    kind = torch.cat([kind, torch.full_like(owner[2 * number :], QUERY)])
    to_prefix = kind[None] == PREFIX
    earlier = (kind[None] == CONTENT) & (
        (owner[None] < owner[:, None])
        | ((owner[None] == owner[:, None]) & (kind[:, None] == CONTENT))
    )
    seen = to_prefix | (earlier & (kind[:, None] != PREFIX))
    itself = torch.eye(len(owner), dtype=torch.bool, device=device)
    return owner, seen | itself


def _order_of_step(number: int, i: int, there: Tensor) -> Tensor:
    """The rows of `_order` for the prefix, the contents before thing i, and one query of it."""
    kept = [*range(number), *range(number, number + i), 2 * number + COORDINATES * i]
    _, seen = _order(number, there.device)
    seen = seen[kept][:, kept]
    present = torch.cat([there, there[:, :i], there[:, i : i + 1]], 1)
    return seen & (present[:, None] | torch.eye(len(kept), dtype=torch.bool, device=there.device))


def _own(logits: Tensor, bins: int) -> Tensor:
    """Of the logits [B, N, 4, 4 * bins] of each query those of its own coordinate, [B, N, 4, bins]."""
    return torch.stack([logits[:, :, k, k * bins : (k + 1) * bins] for k in range(COORDINATES)], 2)


def _drawn(logits: Tensor, rng: torch.Generator, temperature: float, top: float) -> Tensor:
    if not temperature:
        return logits.argmax(-1)
    chances = (logits.float() / temperature).softmax(-1).cpu()
    ranked, order = chances.sort(-1, descending=True)
    ranked = ranked * (ranked.cumsum(-1) - ranked < top)
    picked = torch.multinomial(ranked, 1, generator=rng)
    return order.gather(-1, picked)[:, 0].to(logits.device)


def _begin_(placer: Placer, bins: int) -> None:
    """Small embeddings; neighbouring values begin alike, since boxes that differ little are alike."""
    for module in placer.modules():
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.3)
    with torch.no_grad():
        placer.grams.weight[0] = 0
        width = placer.values.weight.shape[1]
        waves = torch.arange(1, width // 2 + 1) * torch.linspace(0, 1, bins)[:, None] * torch.pi / 4
        smooth = 0.3 * torch.cat([waves.sin(), waves.cos()], 1)
        placer.values.weight.zero_()
        for k in range(COORDINATES):
            turn = torch.linalg.qr(torch.randn(smooth.shape[1], smooth.shape[1]))[0]
            placer.values.weight[k * bins : (k + 1) * bins, : smooth.shape[1]] = smooth @ turn
    for block in placer.blocks:
        nn.init.zeros_(block.get_submodule("down").get_parameter("weight"))
        nn.init.zeros_(block.get_submodule("out").get_parameter("weight"))
