"""The card of a release: what is in it, what was lost and why, where everything comes from."""

from collections import Counter
from collections.abc import Iterable, Sequence

from situ.goal2k.prompts import CATEGORIES, NATURAL
from situ.goal2k.release import RELEASED, Fate, Made, fates, split_of
from situ.goal2k.settings import STORYBOOK
from situ.goal2k.templates import made as made_of
from situ.goal2k.templates import wanted
from situ.goal2k.truth import truth

OWN = "Apache-2.0 (Situ)"
COCO = "CC BY 4.0 (COCO annotations, Lin et al. 2014)"
UNKNOWN = "NOT STATED: find out before you publish"


def card(made: Made) -> str:
    """README.md. It depends on the stages' files alone, so that equal sets have equal cards."""
    found = fates(made)
    kept = [fate for fate in found if fate.state == RELEASED]
    parts = [
        _head(made, kept),
        _counts(made, found),
        _lost(made, found),
        _boxes(made),
        _people(made, found),
        _origin(made),
        _use(),
    ]
    return "\n\n".join(parts) + "\n"


def summary(made: Made) -> str:
    """One line for a terminal."""
    states = Counter(fate.state for fate in fates(made))
    rest = [f"{count} {state}" for state, count in sorted(states.items()) if state != RELEASED]
    return f"{states[RELEASED]} pictures released" + (f"; {', '.join(rest)}" if rest else "")


def _head(made: Made, kept: Sequence[Fate]) -> str:
    settings = made.settings
    splits = Counter(split_of(fate.prompt.caption, settings.set.val) for fate in kept)
    objects = sum(len(fate.layout or ()) for fate in kept)
    return (
        "---\ntask_categories: [text-to-image, object-detection]\nlanguage: [en]\n---\n\n"
        "# GOAL2K\n\n"
        f"{len(kept)} pictures with captions and {objects} boxes for training grounded text-to-image "
        "models, built by `situ data goal2k` after section 4.1 of GOAL: prompts by template and natural "
        "ones, drawn, boxed by a detector and checked. It is not the authors' own set of this name, "
        "which was not to be had.\n\n"
        f"Splits are by the hash of the prompt: {splits['train']} train, {splits['val']} val. Seed "
        f"{settings.set.seed}."
    )


def _counts(made: Made, found: Sequence[Fate]) -> str:
    goal, prompts = wanted(made.settings.set), made_of(made.settings.set)
    rows = []
    for name in (*CATEGORIES, NATURAL):
        some = [fate for fate in found if fate.prompt.category == name]
        states = Counter(fate.state for fate in some)
        checks = Counter(
            made.checks[fate.prompt.id]["verdict"] for fate in some if fate.prompt.id in made.checks
        )
        line = [name, goal.get(name, 0), prompts.get(name, 0), len(some)]
        rows.append([*line, checks["accept"], checks["review"], checks["reject"], states[RELEASED]])
    rows.append(["all", *(sum(row[i] for row in rows) for i in range(1, 8))])
    head = ["category", "wanted", "prompts", "captions"]
    head += ["passed the checks", "for a person", "rejected by them", "released"]
    return "## Counts\n\n" + _table(head, rows)


def _lost(made: Made, found: Sequence[Fate]) -> str:
    """Losses of all stages from the ledger, and what the last stages left out."""
    why: Counter[tuple[str, str]] = Counter()
    for row in made.losses:
        if row["event"] == "lost":
            why[row["stage"], row["why"]] += 1
    failed = Counter((row["stage"], row["why"]) for row in made.losses if row["event"] == "failed")
    for fate in found:
        if fate.state not in (RELEASED, "lost"):
            why["release", fate.state] += 1
    for row in made.checks.values():
        for said in {said.split(":")[0] for said in row["failed"]}:
            why["checks", f"failed: {said}"] += 1
    if not why and not failed:
        return "## What was lost\n\nNothing."
    rows = [[stage, reason, why[stage, reason]] for stage, reason in sorted(why)]
    text = "## What was lost\n\n" + _table(["stage", "why", "count"], rows)
    if failed:
        rows = [[stage, reason, failed[stage, reason]] for stage, reason in sorted(failed)]
        text += "\n\nAttempts that failed, most of which were repeated:\n\n"
        text += _table(["stage", "why", "attempts"], rows)
    return text


def _boxes(made: Made) -> str:
    measured = truth(made)
    settings = made.settings
    text = (
        f"## Boxes\n\nBy {settings.boxes.source}, least score {settings.boxes.score:g}; second opinion: "
        f"{settings.checks.source}."
    )
    if not measured:
        return text
    return (
        f"{text} Against the boxes that the renderer drew, on all pictures before any was left out: "
        f"{100 * measured['found']:.2f} % of {measured['things']:.0f} things found (same phrase, IoU "
        f"0.5 or more), mean IoU {measured['iou']:.4f} of those, {100 * measured['false']:.2f} false "
        "boxes for each 100 things. The boxes released are the detector's, not the renderer's."
    )


def _people(made: Made, found: Sequence[Fate]) -> str:
    verdicts = made.verdicts
    seen = sum(fate.by == "person" for fate in found if fate.state == RELEASED)
    waiting = sum(fate.state == "waits for a person" for fate in found)
    text = "## Verification by people\n\n"
    if not verdicts.by_prompt:
        text += "No person has looked at this set: the checks alone decided."
    else:
        agree, several = verdicts.shared
        text += (
            f"{len(verdicts.by_prompt)} pictures seen by {len(verdicts.reviewers)} people; {seen} of the "
            f"released ones are among them. Pictures seen by several: {several}, agreed on {agree}."
        )
    text += f" {waiting} pictures wait for a person and are not released."
    return text + (f" {verdicts.stale} older verdicts do not count." if verdicts.stale else "")


def _origin(made: Made) -> str:
    s = made.settings
    own = s.objects.source == STORYBOOK
    told = (
        OWN
        if s.captions.source == "grammar"
        else s.captions.licence or f"{UNKNOWN} (terms of {s.captions.model})"
    )
    drawn = (
        OWN
        if s.pictures.source == STORYBOOK
        else s.pictures.licence or f"{UNKNOWN} (terms of {s.pictures.model or 'the model'})"
    )
    rows = [
        ["things", "the storybook's kinds" if own else "COCO instances", OWN if own else COCO],
        ["template captions", s.captions.model or "grammar", told],
        [
            "natural captions",
            "the storybook's paraphrases" if s.natural.source == STORYBOOK else "COCO captions",
            OWN if s.natural.source == STORYBOOK else COCO,
        ],
        ["pictures", s.pictures.model or s.pictures.source, drawn],
        ["boxes", s.boxes.source, "as the pictures"],
    ]
    text = "## Sources and licences\n\n" + _table(["part", "source", "licence"], rows)
    if own:
        text += (
            "\n\nPages are of the storybook's split `train`: kinds in colours and relations that its "
            "benchmarks hold out are not in this set, nor are the benchmarks' captions."
        )
    return text


def _use() -> str:
    return (
        '## Use\n\nA COCO-format folder: `folder = "<this folder>"` in [data] of a training recipe, '
        'with `instances = "annotations/instances_train.json"` and `captions = '
        '"annotations/captions_train.json"` for the split. `goal2k.jsonl` has one record for each '
        "picture; boxes are [x0, y0, x1, y1] in 0..1, y down."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(_cell, row)) + " |" for row in rows])


def _cell(value: object) -> str:
    return str(value).replace("|", "/").replace("\n", " ")
