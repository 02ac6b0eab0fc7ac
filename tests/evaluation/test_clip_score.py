"""CLIP scores by hand, from torchmetrics and through a tiny random CLIP of transformers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from transformers import CLIPConfig, CLIPModel

from situ.evaluation.clip_score import (
    MEAN,
    PREFIX,
    STD,
    ClipScorer,
    Pictures,
    clip_pixels,
    cosines,
    hessel,
    pair_cosines,
    region_mean,
    torchmetrics_score,
)
from situ.models.clip import train_tokenizer
from situ.scene import SituError

WORDS = ["a red fish to the left of a striped blue house", "two dotted green trees at night"]
SIDE = 32


def noise(count: int, height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def scorer() -> ClipScorer:
    torch.manual_seed(0)
    tokenizer = train_tokenizer(WORDS, 600)
    shared = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    end = tokenizer.eos_token_id
    text = {**shared, "num_hidden_layers": 2, "vocab_size": len(tokenizer), "eos_token_id": end}
    vision = {**shared, "num_hidden_layers": 2, "image_size": SIDE, "patch_size": 8}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
    return ClipScorer(CLIPModel(config).eval(), tokenizer, batch=2)


def manual_cosines(
    scorer: ClipScorer, pictures: NDArray[np.uint8], texts: Sequence[str]
) -> NDArray[np.float64]:
    """The model's own parts, then normalise and dot; pictures are square and of its size."""
    model = scorer.model
    pixels = pictures.transpose(0, 3, 1, 2) / 255.0
    pixels = (pixels - np.array(MEAN).reshape(3, 1, 1)) / np.array(STD).reshape(3, 1, 1)
    rows = []
    with torch.no_grad():
        seen = model.vision_model(pixel_values=torch.from_numpy(pixels).float()).pooler_output
        images = model.visual_projection(seen).double().numpy()
        for text in texts:  # alone, so that nothing is padded
            tokens = scorer.tokenizer([text], return_tensors="pt").input_ids
            states = model.text_model(input_ids=tokens).last_hidden_state[:, -1]
            rows.append(model.text_projection(states).double().numpy()[0])
    words = np.stack(rows)
    return np.array(
        [u @ v / np.sqrt((u @ u) * (v @ v)) for u, v in zip(images, words, strict=True)]
    )


def test_the_cosines_of_a_tiny_clip_are_those_by_hand(scorer: ClipScorer) -> None:
    pictures, texts = noise(3, SIDE, SIDE), [*WORDS, "a house"]
    ours = pair_cosines(scorer, pictures, texts)
    assert ours == pytest.approx(manual_cosines(scorer, pictures, texts), abs=1e-5)
    assert np.ptp(ours) > 1e-3
    shuffled = manual_cosines(scorer, pictures, texts[::-1])
    assert np.abs(ours - shuffled).max() > 1e-3


def test_the_prefix_goes_before_every_text(scorer: ClipScorer) -> None:
    pictures = noise(2, SIDE, SIDE)
    ours = pair_cosines(scorer, pictures, WORDS, PREFIX)
    expected = manual_cosines(scorer, pictures, ["A photo depicts " + text for text in WORDS])
    assert ours == pytest.approx(expected, abs=1e-5)


def test_long_texts_are_cut_after_77_tokens(scorer: ClipScorer) -> None:
    assert scorer.length == 77
    many = "fish " * 75  # and a start and an end
    assert len(scorer.tokenizer(many).input_ids) == 77
    cut, kept = scorer.text_features([many + "house at night", many])
    assert np.array_equal(cut, kept)
    assert not np.allclose(kept, scorer.text_features(["fish " * 74])[0])


@pytest.mark.parametrize("shape", [(SIDE, SIDE), (50, 41), (20, 77)])
def test_pictures_enter_as_transformers_lets_them_in(shape: tuple[int, int]) -> None:
    transformers = pytest.importorskip("transformers")
    kind = getattr(transformers, "CLIPImageProcessorPil", transformers.CLIPImageProcessor)
    processor = kind(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    pictures = noise(2, *shape)
    images = [Image.fromarray(picture) for picture in pictures]
    theirs = processor(images, return_tensors="pt")["pixel_values"]
    assert torch.allclose(clip_pixels(pictures, SIDE), theirs, atol=1e-5)


def test_the_size_is_the_models_and_sizes_may_differ(scorer: ClipScorer) -> None:
    assert scorer.size == SIDE
    pictures = [noise(1, 40, 60)[0], noise(1, 33, 90)[0], noise(1, SIDE, SIDE)[0]]
    rows = scorer.image_features(pictures)
    assert (rows.shape, rows.dtype) == ((3, 16), np.float32)
    assert rows[1] == pytest.approx(scorer.image_features([pictures[1]])[0], abs=1e-5)
    assert scorer.image_features([]).shape == scorer.text_features([]).shape == (0, 16)


class Bare:
    """transformers 4.57 returns the features themselves."""

    def __init__(self, model: CLIPModel) -> None:
        self.config, self.device, self.dtype = model.config, model.device, model.dtype
        self.model = model

    def get_image_features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        seen = self.model.vision_model(pixel_values=pixel_values)
        return self.model.visual_projection(seen.pooler_output)

    def get_text_features(self, **tokens: torch.Tensor) -> torch.Tensor:
        return self.model.text_projection(self.model.text_model(**tokens).pooler_output)


def test_bare_tensors_are_taken_as_they_are(scorer: ClipScorer) -> None:
    bare = ClipScorer(Bare(scorer.model), scorer.tokenizer)
    pictures = noise(2, 40, 40)
    assert pair_cosines(bare, pictures, WORDS) == pytest.approx(
        pair_cosines(scorer, pictures, WORDS), abs=1e-6
    )


def test_a_folder_comes_back_as_the_same_scorer(scorer: ClipScorer, tmp_path: Path) -> None:
    with pytest.raises(SituError, match=r"config\.json is missing; give the folder of a CLIP"):
        ClipScorer.from_folder(tmp_path)
    scorer.model.save_pretrained(tmp_path)
    scorer.tokenizer.save_pretrained(tmp_path)
    loaded = ClipScorer.from_folder(tmp_path)
    pictures = noise(2, SIDE, SIDE)
    assert np.array_equal(
        pair_cosines(loaded, pictures, WORDS), pair_cosines(scorer, pictures, WORDS)
    )
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(SituError, match="is not a whole CLIP model"):
        ClipScorer.from_folder(tmp_path)


class Table:
    """An injected encoder that knows its answers."""

    def image_features(self, pictures: Pictures, /) -> NDArray[np.float32]:
        return np.array([[p[0, 0, 0], p[0, 0, 1]] for p in pictures], np.float32)

    def text_features(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        return np.array([[len(text), 0] for text in texts], np.float32)


def test_any_encoder_will_do() -> None:
    pictures = np.zeros((2, 4, 4, 3), np.uint8)
    pictures[0, 0, 0, :2], pictures[1, 0, 0, :2] = (3, 4), (0, 7)
    assert pair_cosines(Table(), pictures, ["a", "house"]) == pytest.approx([0.6, 0.0])
    with pytest.raises(SituError, match="2 pictures and 1 texts"):
        pair_cosines(Table(), pictures, ["a"])


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9))
def test_scores_are_made_of_raw_cosines(values: list[float]) -> None:
    assert hessel(values).tolist() == [2.5 * max(v, 0.0) for v in values]
    expected = max(100 * sum(values) / len(values), 0.0)
    assert torchmetrics_score(values) == pytest.approx(expected, abs=1e-9)


def test_torchmetrics_clips_the_mean_and_hessel_every_item() -> None:
    assert torchmetrics_score([0.5, -0.3]) == pytest.approx(10)
    assert hessel([0.5, -0.3]).tolist() == [1.25, 0.0]
    assert torchmetrics_score([0.1, -0.3]) == 0


def test_cosines_know_direction_only() -> None:
    assert cosines([[3, 4], [1, 1]], [[30, 40], [-2, -2]]) == pytest.approx([1, -1])
    with pytest.raises(SituError, match="image features: row 1 is all zeros"):
        cosines([[3, 4], [0, 0]], [[1, 0], [1, 0]])
    with pytest.raises(SituError, match="text features: row 0 holds NaN"):
        cosines([[3, 4]], [[np.nan, 0]])
    with pytest.raises(SituError, match="widths 2 and 3 differ"):
        cosines([[3, 4]], [[1, 0, 0]])
    with pytest.raises(SituError, match="1 pictures and 2 texts"):
        cosines([[3, 4]], [[1, 0], [0, 1]])


def test_regions_are_averaged_over_boxes_or_over_pictures() -> None:
    values, pictures = [1.0, 0.0, 0.5, 0.4], [7, 7, 7, 9]
    assert region_mean(values, pictures) == pytest.approx(0.475)
    assert region_mean(values, pictures, "picture") == pytest.approx(0.45)
    with pytest.raises(SituError, match="there are no cosines"):
        region_mean([], [], "picture")
    with pytest.raises(SituError, match="do not match"):
        region_mean(values, [1])
