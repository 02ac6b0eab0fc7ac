"""PickScore and Q-Align of a set of pictures, PickScore also against a second set of the same scenes."""

from collections.abc import Callable, Mapping
from pathlib import Path

from situ.evaluation.evidence import Evidence
from situ.evaluation.preference import Quality, softmax_shares, wins
from situ.evaluation.score import Metric, Score, mean_score
from situ.evaluation.world import MissingError
from situ.scene import SituError

AGAINST = "compares with a second folder of the same scenes; give it with --against"
Q_ALIGN = (
    "needs scores of q-future/one-align, whose code runs with transformers 4.36 only: compute them there, "
    'write {"scale": "1-5", "scores": {"FILE.png": {"quality": 4.2, "aesthetic": 3.9}}} and give the '
    "file with --q-align"
)


def preference_metrics(
    against: Evidence | None, qualities: tuple[Path, tuple[Mapping[str, Quality], ...]] | None
) -> tuple[Metric, ...]:
    """`against`: other pictures of the same scenes. `qualities`: a file's name and, for each picture,
    what Q-Align said of it."""

    def compared(measure: Callable[[Evidence, Evidence], Score]) -> Callable[..., Score]:
        def score(e: Evidence, real: Evidence | None) -> Score:
            if against is None:
                raise MissingError(AGAINST)
            _check_scenes(e, against)
            return measure(e, against)

        return score

    def rated(part: str) -> Callable[..., Score]:
        def score(e: Evidence, real: Evidence | None) -> Score:
            if qualities is None:
                raise MissingError(Q_ALIGN)
            return _rated(part, *qualities)

        return score

    return (
        Metric("pickscore", "PickScore", "higher", "raw cosine of PickScore_v1", _raw),
        Metric(
            "pickscore_wins",
            "PickScore wins",
            "higher",
            "share of scenes on which PickScore is above that of the other folder, ties a half",
            compared(_wins),
        ),
        Metric(
            "pickscore_share",
            "PickScore share",
            "higher",
            "softmax of PickScore's logits over the two folders; 0.5 is even",
            compared(_share),
        ),
        Metric(
            "q_align_quality", "Q-Align quality", "higher", "1 to 5, from a file", rated("quality")
        ),
        Metric(
            "q_align_aesthetic",
            "Q-Align aesthetic",
            "higher",
            "1 to 5, from a file",
            rated("aesthetic"),
        ),
    )


def _raw(e: Evidence, real: Evidence | None) -> Score:
    return mean_score(e.preferences[:, 0])


def _wins(e: Evidence, other: Evidence) -> Score:
    ours, theirs = (x.preferences[:, 0].tolist() for x in (e, other))
    return mean_score(wins(ours, theirs))


def _share(e: Evidence, other: Evidence) -> Score:
    pairs = zip(e.preferences[:, 1].tolist(), other.preferences[:, 1].tolist(), strict=True)
    return mean_score([softmax_shares(pair)[0] for pair in pairs])


def _rated(part: str, path: Path, rows: tuple[Mapping[str, Quality], ...]) -> Score:
    lacking = sum(part not in row for row in rows)
    if lacking:
        raise SituError(f"{path}: {lacking} of {len(rows)} pictures have no {part}")
    return mean_score([row[part].of_five for row in rows])


def _check_scenes(e: Evidence, other: Evidence) -> None:
    if len(e) != len(other):
        raise SituError(f"{len(e)} pictures are compared with {len(other)}; draw the same scenes")
    pairs = zip(e.scenes, other.scenes, strict=True)
    odd = next(((n, a, b) for n, (a, b) in enumerate(pairs) if a.caption != b.caption), None)
    if odd:
        raise SituError(
            f"picture {odd[0]} shows {odd[1].caption!r} here and {odd[2].caption!r} in the other "
            "folder; draw the same scenes"
        )
