"""Stage 6: which candidate of a prompt to keep."""

from collections.abc import Callable, Sequence
from pathlib import Path

from situ.evaluation.detections import Detection
from situ.goal2k.journal import Row, lost
from situ.goal2k.looking import DECIMALS, Seen, found_of, looker
from situ.goal2k.prompts import Prompt
from situ.goal2k.settings import Boxes, Ranking

SURENESS = 0.01  # weight of the detector's scores: they decide between candidates that are equal

Score = Callable[[Sequence[Seen]], list[float]]  # higher is better; pictures of many prompts


def scorer(settings: Ranking, boxes: Boxes) -> Score:
    """The score of the settings. Raises SituError where its model cannot be had."""
    if settings.source == "first":
        return lambda seen: [0.0 for _ in seen]
    if settings.source == "presence":
        look = looker(boxes)
        return lambda seen: [
            presence(one.prompt, found) for one, found in zip(seen, look(seen), strict=True)
        ]
    folder = Path(settings.folder).expanduser()
    if settings.source == "pickscore":
        return _pickscore(folder, settings.device)
    return _clip(folder, settings.device)


def presence(prompt: Prompt, found: Sequence[Detection]) -> float:
    """Share of the asked things that are found, less those that are too many, for each asked one."""
    groups = found_of(found)
    right, extra = 0, 0
    for thing in prompt.things:
        count = len(groups.get(thing.phrase, ()))
        right += min(count, thing.count)
        extra += max(count - thing.count, 0)
    extra += sum(len(some) for label, some in groups.items() if label not in prompt.phrases)
    sure = sum(detection.score for detection in found) / max(1, len(found))
    return (right - extra) / prompt.total + SURENESS * sure


def rows(prompts: Sequence[Prompt], seen: Sequence[Sequence[Seen]], score: Score) -> list[Row]:
    """The best candidate of each prompt; of equal ones the first."""
    flat = [one for some in seen for one in some]
    values = iter(score(flat) if flat else ())
    made = []
    for prompt, some in zip(prompts, seen, strict=True):
        scores = [round(next(values), DECIMALS) for _ in some]
        if not some:
            made.append(lost(prompt.id, "no picture", "every candidate was lost"))
            continue
        best = max(range(len(scores)), key=lambda i: (scores[i], -i))
        files = {one.file: value for one, value in zip(some, scores, strict=True)}
        made.append({"id": prompt.id, "file": some[best].file, "scores": files})
    return made


def _clip(folder: Path, device: str) -> Score:
    from situ.evaluation.clip_score import PREFIX, ClipScorer, pair_cosines

    clip = ClipScorer.from_folder(folder, device)

    def score(seen: Sequence[Seen]) -> list[float]:
        captions = [one.prompt.caption for one in seen]
        return pair_cosines(clip, [one.pixels for one in seen], captions, PREFIX).tolist()

    return score


def _pickscore(folder: Path, device: str) -> Score:
    from situ.evaluation.preference import load_pick_scorer

    picks = load_pick_scorer(folder, device=device)
    return lambda seen: [picks.score(one.prompt.caption, [one.pixels]).logits[0] for one in seen]
