"""MAAlign of GOAL (section 3.3): the words of an object must look into its box, and nowhere else.

Read from the maps of cross-attention at one size, of the pass that the diffusion loss needs anyway.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from situ.conditioning.text import TextEncoder
from situ.models.attention import Maps, Site
from situ.models.unet import UNet
from situ.ops.masks import coverage
from situ.scene import Scene, SituError
from situ.scene.fields import check_choices
from situ.scene.scene import as_told
from situ.training.loop import Batch

CHOICES = {
    "place": ("down", "mid", "up"),
    "words": ("mean", "last", "max"),
    "layers": ("mean", "each"),
}


@dataclass(frozen=True)
class AttentionSettings:
    """The defaults are the paper's, for Stable Diffusion at 512 px.

    place, size: which cross-attention is read, `up` being the decoder; size is the side of its maps in
    cells (Table 7). words: how the maps of a phrase's tokens become one; `last` takes the noun alone.
    layers: one loss of the layers' mean, or the mean of their losses. union: for objects that share words,
    outside is outside of all their boxes; otherwise each pushes the others away. no_start: leave out the
    start token, which draws most of the attention, and let the other tokens sum to one.
    """

    place: str = "up"
    size: int = 16
    words: str = "mean"
    layers: str = "mean"
    union: bool = False
    no_start: bool = False

    def __post_init__(self) -> None:
        check_choices(self, "attention", CHOICES)


class MAAlign:
    """L_MAA of a batch (eq. 14).

    The batch gives boxes_xyxy [B, N, 4], masks [B, N] and `words` [B, N, L], 1 where token l of the caption
    belongs to phrase n. Objects without a word in the caption are left out.
    """

    def __init__(self, unet: UNet, settings: AttentionSettings, side: int | None = None) -> None:
        """`side`: of the latent in cells, by default the one that the network was trained at. Raises
        SituError that lists the maps there are if none fits."""
        self.settings = settings
        side = side or unet.config.sample_size or 64
        cross = [site for site in unet.sites(side, side) if site.kind == "cross"]
        if not any(map(self.wanted, cross)):
            known = sorted({f"{site.place} {site.height}" for site in cross})
            raise SituError(
                f"attention: no cross-attention {settings.place} with maps of size {settings.size}; "
                f"at latents of {side} cells there are: {', '.join(known)}"
            )

    def wanted(self, site: Site) -> bool:
        """The sites whose probabilities must be recorded."""
        s = self.settings
        return site.kind == "cross" and site.place == s.place and site.height == s.size

    def __call__(self, maps: Maps, batch: Batch) -> dict[str, Tensor]:
        """`attention` (eq. 14), and its parts `inside` (eq. 12) and `outside` (eq. 13): means over the
        batch, to which a sample without any box or word adds 0."""
        read = [
            p.mean(1).unflatten(1, (s.height, s.width)) for s, p in maps.items() if self.wanted(s)
        ]
        if self.settings.layers == "mean":
            read = [torch.stack(read).mean(0)]
        boxes, masks, words = batch["boxes_xyxy"], batch["masks"], batch["words"]
        with torch.autocast(boxes.device.type, enabled=False):  # a largest value needs its digits
            terms = [self.terms(each, boxes, masks, words) for each in read]
        inside, outside = torch.stack(terms).mean((0, 2)).unbind()
        return {"attention": inside + outside, "inside": inside, "outside": outside}

    def terms(self, probs: Tensor, boxes_xyxy: Tensor, masks: Tensor, words: Tensor) -> Tensor:
        """Both terms of every sample [2, B], from probabilities [B, h, w, L]."""
        valid = (masks > 0) & (words > 0).any(-1)  # [B, N]
        seen = self._maps(probs, words).flatten(2)  # [B, N, cells]
        own = (coverage(boxes_xyxy, *probs.shape[1:3]) > 0).flatten(2) & valid[..., None]
        home = _shared(own, words) if self.settings.union else own
        inside = 1 - torch.where(own, seen, 0).amax(-1)
        outside = torch.where(home, 0, seen).amax(-1)
        kept = torch.where(valid, torch.stack([inside, outside]), 0)
        return kept.sum(-1) / valid.sum(-1).clamp(min=1)

    def _maps(self, probs: Tensor, words: Tensor) -> Tensor:
        """A_j of eq. 12 for every phrase: [B, h, w, L] -> [B, N, h, w]; zeros where it has no words."""
        if self.settings.no_start:
            rest = (1 - probs[..., :1]).clamp(min=1e-6)
            probs = torch.cat([torch.zeros_like(probs[..., :1]), probs[..., 1:] / rest], -1)
        words = (words > 0).to(probs)
        if self.settings.words == "max":
            each = probs[:, None] * words[:, :, None, None]  # [B, N, h, w, L]
            return each.amax(-1)
        if self.settings.words == "last":
            after = words.flip(-1).cumsum(-1).flip(-1)  # words from here on
            words = words * (after == 1)
        share = words / words.sum(-1, keepdim=True).clamp(min=1)
        return torch.einsum("bhwl,bnl->bnhw", probs, share)


def _shared(own: Tensor, words: Tensor) -> Tensor:
    """The cells of all boxes that share a word with each: [B, N, cells] and [B, N, L] -> [B, N, cells]."""
    said = (words > 0).float()
    related = said @ said.mT  # [B, N, N]
    return (related @ own.float()) > 0


def word_positions(encoder: TextEncoder, scene: Scene) -> tuple[tuple[int, ...], ...]:
    """The tokens of each object's phrase in the caption, also where the caption has only its plural ("two
    red houses"); empty where it is not there."""
    told = as_told(scene)
    return tuple(encoder.span(told, i) for i in range(len(told.layout)))


__all__ = ["AttentionSettings", "MAAlign", "as_told", "word_positions"]
