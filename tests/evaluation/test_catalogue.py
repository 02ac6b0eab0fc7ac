"""Every metric by name, on worlds whose answers are known; what a world lacks is said."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from plain_world import PlainWorld, numbered

from situ.evaluation.catalogue import Beside, metrics_of
from situ.evaluation.clip_score import cosines
from situ.evaluation.coco_world import CocoWorld
from situ.evaluation.detections import Detection
from situ.evaluation.evidence import Evidence, InMemory
from situ.evaluation.frechet import FeatureStatistics, frechet_infinity
from situ.evaluation.kernel import cmmd
from situ.evaluation.names import GROUPS, names_asked
from situ.evaluation.score import Score
from situ.evaluation.storybook_world import StorybookWorld
from situ.evaluation.world import MissingError, Pictures, Rows, World
from situ.scene import Box, Layout, Object, Scene, SituError
from situ.storybook.render import render
from situ.storybook.suites import pages, scene

PROMPTS = Path(__file__).parents[3] / "shared/data"
at_hand = pytest.mark.skipif(not PROMPTS.is_dir(), reason="the benchmarks' files are not at hand")
CAT, DOG = (0.0, 0.4, 0.2, 0.6), (0.7, 0.4, 0.9, 0.6)


class SeeingWorld(PlainWorld):
    """Says yes to what is red with 0.9 and to all else with 0.5, and sees the left half nearer."""

    def __init__(self, told: dict[int, list[Detection]] | None = None) -> None:
        super().__init__(told)
        self.models |= {"answers": "red-1", "depth": "left-1", "preference": "length-1"}

    def answer(self, pictures: Pictures, questions: list[list[str]]) -> list[list[float]]:
        return [[0.9 if "red" in q else 0.5 for q in some] for some in questions]

    def nearness(self, pictures: Pictures) -> Rows:
        return np.tile(np.linspace(1, 0, 20, dtype=np.float32), (len(pictures), 20, 1))

    def prefer(self, pictures: Pictures, texts: list[str]) -> Rows:
        return np.array([(len(text) / 100, len(text)) for text in texts], np.float32)


def shown(*captions: str, told: dict[int, list[Detection]] | None = None) -> Evidence:
    scenes = tuple(Scene(caption, Layout(), 16, 16) for caption in captions)
    world = SeeingWorld(told)
    return Evidence(InMemory(numbered(len(captions))), scenes, world)


def measured(name: str, e: Evidence, beside: Beside | None = None) -> Score:
    (metric,) = metrics_of(e.world, [name], beside)
    return metric.measure(e, None)


def value(name: str, e: Evidence, beside: Beside | None = None) -> float:
    return measured(name, e, beside).estimate().value


def saw(label: str, box: tuple[float, float, float, float], score: float = 0.9) -> Detection:
    return Detection(label, score, Box(*box))


@pytest.mark.parametrize("world", [StorybookWorld(), CocoWorld(Path("nowhere")), PlainWorld()])
def test_every_listed_name_has_a_metric_of_that_name(world: World) -> None:
    listed = [name for names in GROUPS.values() for name in names]
    assert len(listed) == len(set(listed))
    assert [metric.name for metric in metrics_of(world, ["all"])] == listed


def test_names_come_in_lists_and_groups_and_once() -> None:
    assert names_asked(["clip,fid", "clip"]) == ("clip", "fid")
    assert names_asked(["regions"]) == GROUPS["regions"]
    with pytest.raises(SituError, match="'regionss'.*regions"):
        names_asked(["regionss"])


def test_attributes_are_products_over_the_questions_of_a_prompt() -> None:
    e = shown("a red cup and a blue dog", "a red cup and a red dog")
    assert value("t2i_color", e) == pytest.approx((0.9 * 0.5 + 0.9 * 0.9) / 2)
    assert any("color_val.txt is not at hand" in w for w in measured("t2i_color", e).warnings)


@at_hand
def test_only_captions_of_the_suite_count_where_its_file_is_there() -> None:
    e = shown("a green bench and a blue bowl", "a caption of nobody")
    score = measured("t2i_color", e, Beside(prompts=PROMPTS))
    assert score.estimate().value == pytest.approx(0.25)
    text = " ".join(score.warnings)
    assert "1 captions of other suites" in text
    assert "299 of 300 prompts have no picture" in text
    assert "1 pictures to a prompt" in text
    with pytest.raises(SituError, match=r"none of the 2 captions is of texture_val\.txt"):
        measured("t2i_texture", e, Beside(prompts=PROMPTS))


def test_relations_are_scored_by_the_published_rule_and_by_presence() -> None:
    told = {0: [saw("cat", CAT), saw("dog", DOG, 0.8)], 1: [saw("cat", DOG), saw("dog", CAT)]}
    e = shown("a cat on the left of a dog", "a cat on the left of a dog", told=told)
    assert value("t2i_spatial", e) == pytest.approx((0.925 + 0.0) / 2)  # 0.45 is below the floor
    assert value("t2i_spatial_present", e) == pytest.approx((1 + 0.5) / 2)


def test_depth_decides_what_is_in_front() -> None:
    near, far = (0.1, 0.1, 0.6, 0.6), (0.2, 0.1, 0.7, 0.6)  # IoU 2/3
    told = {0: [saw("cat", near, 1.0), saw("dog", far, 1.0)]}
    assert value("t2i_3d_spatial", shown("a cat in front of a dog", told=told)) == 1
    assert value("t2i_3d_spatial", shown("a cat behind a dog", told=told)) == 0.5


@at_hand
def test_presence_is_half_of_numeracy() -> None:
    one = {0: [saw("airplane", CAT)]}
    assert value("t2i_numeracy", shown("six airplanes", told=one), Beside(prompts=PROMPTS)) == 0.5


@at_hand
def test_complex_prompts_take_the_mean_of_what_they_speak_of() -> None:
    prompt = "The fluffy cat is on the left of the soft pillow."
    told = {0: [saw("cat", CAT, 1.0), saw("pillow", DOG, 1.0)]}
    e = shown(prompt, told=told)
    expected = (0.5 * 0.5 + 1.0) / 2  # of a prompt with a relation only
    assert value("t2i_complex", e, Beside(prompts=PROMPTS)) == pytest.approx(expected)


@at_hand
def test_counts_and_relations_of_nsr_1k_are_found_by_the_caption() -> None:
    told = {
        0: [saw("clock", CAT), saw("clock", DOG)],
        1: [saw("clock", CAT)],
        2: [saw("toilet", CAT), saw("dog", DOG)],
    }
    captions = ("an image of two clocks", "an image of two clocks", "a toilet to the left of a dog")
    e, beside = shown(*captions, told=told), Beside(prompts=PROMPTS)
    assert (
        value("nsr1k_counting", e, beside) == value("nsr1k_counting_per_prompt", e, beside) == 0.5
    )
    assert value("nsr1k_spatial", e, beside) == value("nsr1k_spatial_strict", e, beside) == 1


@at_hand
@pytest.mark.parametrize(("boxes", "precision", "recall", "right"), [(2, 1, 1, 1), (4, 0.5, 1, 0)])
def test_layouts_of_nsr_1k_need_no_network(
    boxes: int, precision: float, recall: float, right: float
) -> None:
    layout = Layout(tuple(Object("clock", Box(*CAT)) for _ in range(boxes)))
    scenes = (Scene("an image of two clocks", layout, 16, 16),)
    e, beside = Evidence(InMemory(numbered(1)), scenes, PlainWorld()), Beside(prompts=PROMPTS)
    assert value("nsr1k_layout_precision", e, beside) == precision
    assert value("nsr1k_layout_recall", e, beside) == recall
    assert value("nsr1k_layout_counting", e, beside) == right


def test_a_benchmarks_file_that_is_missing_is_named_with_its_source(tmp_path: Path) -> None:
    e = shown("six airplanes")
    with pytest.raises(MissingError, match=r"new_objects\.txt of examples/dataset.*--prompts"):
        measured("t2i_numeracy", e)
    with pytest.raises(
        MissingError, match=r"counting\.val\.json is missing: get it from dataset/NSR"
    ):
        measured("nsr1k_counting", e, Beside(prompts=tmp_path))


def test_pickscore_is_raw_against_another_set_and_as_a_share() -> None:
    ours, theirs = shown("x" * 20, "y" * 20), shown("x" * 20, "y" * 20)
    assert value("pickscore", ours) == pytest.approx(0.2)
    beside = Beside(against=theirs)
    assert value("pickscore_wins", ours, beside) == value("pickscore_share", ours, beside) == 0.5
    with pytest.raises(MissingError, match="--against"):
        measured("pickscore_wins", ours)
    with pytest.raises(SituError, match="picture 1 shows 'yyyy"):
        measured("pickscore_wins", ours, Beside(against=shown("x" * 20, "z")))


def test_clip_sorts_crops_by_the_attribute_that_is_asked_for() -> None:
    """Crops are embedded as their colour, and so are the words: red is right and green is not."""
    palette = {"red": (255, 0, 0), "green": (0, 255, 0)}

    class Colours(PlainWorld):
        name = "coco"

        def embed_pictures(self, pictures: Pictures) -> Rows:
            return pictures.reshape(len(pictures), -1, 3).mean(1).astype(np.float32)

        def embed_texts(self, texts: Sequence[str]) -> Rows:
            rows = [next((v for w, v in palette.items() if w in t), (1, 1, 1)) for t in texts]
            return np.array(rows, np.float32)

    pictures = np.zeros((1, 16, 16, 3), np.uint8)
    pictures[..., 0] = 255
    objects = tuple(Object(p, Box(0, 0, 1, 1)) for p in ("red car", "green car", "car"))
    e = Evidence(InMemory(pictures), (Scene("cars", Layout(objects), 16, 16),), Colours())
    assert value("attribute", e) == 0.5
    with pytest.raises(SituError, match="repeats these words"):
        measured("colour", e)


def test_the_storybook_has_its_counterparts_and_says_what_it_has_none_of() -> None:
    some = pages("spatial", 4)
    pictures, world = np.stack([render(page) for page in some]), StorybookWorld()
    e = Evidence(InMemory(pictures), tuple(scene(page, "spatial") for page in some), world)
    real = Evidence(InMemory(pictures[::-1].copy()), e.scenes[::-1], world)
    (metric,) = metrics_of(world, ["cmmd"])
    assert metric.measure(e, real).statistic(np.arange(4)) == pytest.approx(
        cmmd(world.embed_pictures(real.source.read(0, 4)), world.embed_pictures(pictures))
    )
    (metric,) = metrics_of(world, ["fid_infinity"])
    still = FeatureStatistics.of(real.features)
    assert metric.measure(e, real).estimate().value == frechet_infinity(still, e.features).value
    assert value("t2i_non_spatial", e) == pytest.approx(cosines(e.embeddings, e.captions).mean())
    for name in ("pickscore", "q_align_quality", "t2i_3d_spatial"):
        with pytest.raises(SituError, match="the storybook has no counterpart"):
            measured(name, e)


def test_photographs_name_the_repository_files_and_command_of_missing_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("situ.evaluation.coco_world._cached", lambda repository: None)
    world = CocoWorld(tmp_path)
    e = Evidence(InMemory(numbered(2)), shown("a red cup", "a dog").scenes, world)
    wanted = {
        "pickscore": "yuvalkirstain/PickScore_v1",
        "t2i_color": "Salesforce/blip-vqa-capfilt-large",
        "clip": "openai/clip-vit-base-patch32",
        "clip_large": "openai/clip-vit-large-patch14",
    }
    for name, repository in wanted.items():
        with pytest.raises(MissingError, match=f"model.safetensors.*hf download {repository}"):
            measured(name, e)


def test_tables_are_of_the_code_that_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> int:
        world = PlainWorld()
        scenes = shown("a", "b").scenes
        _ = Evidence(InMemory(numbered(2)), scenes, world, tmp_path).features
        return world.looked

    assert [look(), look()] == [2, 0]
    monkeypatch.setattr("situ.evaluation.evidence.CODE", {"features": 10**6})
    assert [look(), look()] == [2, 0]


def test_findings_are_of_what_was_looked_for(tmp_path: Path) -> None:
    world, scenes = PlainWorld({0: [saw("cat", CAT)]}), shown("a", "b").scenes
    e = Evidence(InMemory(numbered(2)), scenes, world, tmp_path)
    first = e.findings([["cat"], []])
    world.told = {}
    assert e.findings([["cat"], []]) == first
    assert e.findings([["dog"], []]) == [[], []]
    assert json.dumps([d.label for d in first[0]]) == '["cat"]'
