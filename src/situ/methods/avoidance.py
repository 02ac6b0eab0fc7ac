"""What a box must not show: region negatives and keep-out boxes, as further terms of HCMA's energy.

They are written as one text, so that they travel with the settings of a run and the record of a picture:
"striped red fish: 0.1 0.2 0.5 0.6; anything: 0.6 0 1 0.4". Where O2RA (HCMA, eq. 7) pulls what a box shows
towards a phrase, these push it away, until their cosine is below a margin.

They are weak and not free: against stripes in 148 boxes of the storybook, lambda_avoid 3 brought the striped
share of what was found from 0.123 to 0.101, and the right kind and colour from 0.919 to 0.845.
"""

from torch import Tensor
from torch.nn import functional

from situ.scene import Layout, Object, SituError, codec
from situ.scene.errors import at
from situ.scene.layout import MAX_OBJECTS

ANYTHING = "anything"  # in a keep-out box: whatever the layout names


def read_avoid(text: str) -> Layout:
    """The phrases and boxes of a text. Raises SituError that tells what cannot be read."""
    parts = [part for part in text.split(";") if part.strip()]
    with at("avoid"):
        return Layout(tuple(map(codec.parse_object, parts)))


def unwanted(avoid: Layout, scene: Layout) -> Layout:
    """Every phrase with the box that must not show it: "anything" is each phrase of the scene."""
    found = [Object(phrase, item.box) for item in avoid for phrase in _phrases(item, scene)]
    if len(found) > MAX_OBJECTS:
        raise SituError(
            f"avoid: {len(found)} phrases in boxes; at most {MAX_OBJECTS} are allowed, where "
            f"{ANYTHING!r} counts once for every phrase of the scene"
        )
    return Layout(tuple(found))


def trespass(seen: Tensor, texts: Tensor, masks: Tensor, margin: float) -> Tensor:
    """By how much boxes [B, M, D] are more like their unwanted texts [B, M, D] than `margin`: sum [B]."""
    alike = functional.cosine_similarity(seen, texts.to(seen), dim=-1)
    return ((alike - margin).clamp_min(0) * masks.to(seen)).sum(1)


def _phrases(item: Object, scene: Layout) -> tuple[str, ...]:
    return tuple(dict.fromkeys(scene.phrases)) if item.phrase == ANYTHING else (item.phrase,)
