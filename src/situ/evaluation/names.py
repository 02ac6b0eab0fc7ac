"""The names of all metrics in the groups by which a command may ask for them; no library is needed here."""

from collections.abc import Mapping, Sequence

from situ.scene import SituError
from situ.scene.errors import did_you_mean

GROUPS: Mapping[str, tuple[str, ...]] = {
    "pictures": ("fid", "fid_infinity", "kid", "cmmd", "clip", "clip_large"),
    "regions": ("region_fid", "region_kid", "region_clip"),
    "layout": (
        "ap",
        "ap50",
        "ap_ratio",
        "miou",
        "success30",
        "success50",
        "success70",
        "kind",
        "colour",
        "look",
        "attribute",
        "count",
        "relation",
        "extra",
    ),
    "t2i_compbench": (
        "t2i_color",
        "t2i_shape",
        "t2i_texture",
        "t2i_spatial",
        "t2i_spatial_present",
        "t2i_3d_spatial",
        "t2i_numeracy",
        "t2i_non_spatial",
        "t2i_complex",
    ),
    "nsr1k": (
        "nsr1k_counting",
        "nsr1k_counting_per_prompt",
        "nsr1k_spatial",
        "nsr1k_spatial_strict",
        "nsr1k_layout_precision",
        "nsr1k_layout_recall",
        "nsr1k_layout_counting",
        "nsr1k_layout_spatial",
    ),
    "preference": (
        "pickscore",
        "pickscore_wins",
        "pickscore_share",
        "q_align_quality",
        "q_align_aesthetic",
    ),
}
USUAL = ("pictures", "regions", "layout")  # what is measured when nothing is named
EVERY = "all"


def names_asked(asked: Sequence[str]) -> tuple[str, ...]:
    """Names of metrics from names, groups, "all" and lists with commas; the usual groups for none.

    Raises SituError for an unknown one, with the nearest.
    """
    words = [word.strip() for text in asked for word in text.split(",") if word.strip()]
    known = [name for names in GROUPS.values() for name in names]
    found: dict[str, None] = {}
    for word in words or USUAL:
        if word not in known and word not in GROUPS and word != EVERY:
            raise SituError(f"metric {word!r}: {did_you_mean(word, [*known, *GROUPS, EVERY])}")
        found |= dict.fromkeys(known if word == EVERY else GROUPS.get(word, (word,)))
    return tuple(found)


def listed() -> str:
    """All groups with their metrics, for a help text."""
    return "; ".join(f"{group}: {', '.join(names)}" for group, names in GROUPS.items())
