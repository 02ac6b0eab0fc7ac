"""PickScore and Q-Align: closed forms, golden arithmetic, and a tiny CLIP computed a second way."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from situ.evaluation.preference import (
    PickScorer,
    clip_pixels,
    load_pick_scorer,
    pick_scores,
    q_align,
    read_q_align,
    softmax_shares,
    win_rate,
    wins,
)
from situ.models.clip import train_tokenizer
from situ.scene import SituError


def test_golden_q_align() -> None:
    quality = q_align([2, 1, 0, -1, -2])
    assert (round(quality.of_five, 6), round(quality.of_one, 6)) == (4.451942, 0.862985)


def test_q_align_ends_and_middle() -> None:
    assert q_align([0] * 5).of_five == pytest.approx(3)
    assert q_align([90, 0, 0, 0, 0]).of_one == pytest.approx(1)
    assert q_align([0, 0, 0, 0, 900]).of_five == pytest.approx(1)
    with pytest.raises(SituError, match="5 logits"):
        q_align([1, 2])


def test_quirk_both_scales_of_q_align_are_read(tmp_path: Path) -> None:
    path = tmp_path / "q_align.json"
    path.write_text(json.dumps({"scale": "1-5", "scores": {"a.png": {"quality": 4.451942}}}))
    five = read_q_align(path)["a.png"]["quality"]
    path.write_text(json.dumps({"scale": "0-1", "scores": {"a.png": {"quality": 0.862985}}}))
    one = read_q_align(path)["a.png"]["quality"]
    assert one.of_five == pytest.approx(five.of_five, abs=1e-5)
    assert one.of_one == pytest.approx(five.of_one, abs=1e-5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"scores": {}}, "the key 'scale' is missing"),
        ({"scale": "1-10", "scores": {}}, "got '1-10'"),
        ({"scale": "1-5", "scores": {"a": {"quality": 0.8}}}, "quality must be in 1-5, got 0.8"),
        ({"scale": "0-1", "scores": {"a": {"aesthetic": 4.1}}}, "aesthetic must be in 0-1"),
        ({"scale": "0-1", "scores": {"a": {"taste": 0.1}}}, "got 'taste'"),
        ({"scale": "0-1", "scores": {"a": {"quality": "good"}}}, "must be a number"),
    ],
)
def test_broken_q_align_files_are_named(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "q_align.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SituError, match=rf"q_align\.json.*{message}"):
        read_q_align(path)


def test_quirk_shares_are_relative_to_who_takes_part() -> None:
    scores = pick_scores([0.21, 0.22, 0.20])
    assert scores.logits == pytest.approx((21, 22, 20))
    weights = [math.e, math.e**2, 1.0]
    assert scores.shares == pytest.approx([w / sum(weights) for w in weights])
    assert sum(scores.shares) / 3 == pytest.approx(1 / 3)
    assert pick_scores([0.21]).shares == (1.0,)
    assert softmax_shares([1000, 1000]) == (0.5, 0.5)
    with pytest.raises(SituError, match="nothing to score"):
        pick_scores([])


def test_win_rates_share_ties() -> None:
    assert wins([1, 2, 3, 4], [0, 2, 4, 4]) == (1, 0.5, 0, 0.5)
    assert win_rate([1, 2, 3, 4], [0, 2, 4, 4]) == 0.5
    with pytest.raises(SituError, match="1 scores and 2"):
        wins([1], [1, 2])


@pytest.fixture(scope="module")
def scorer() -> PickScorer:
    torch.manual_seed(0)
    tokenizer = train_tokenizer(["a red cat and a dog"], 600)
    ends = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    width = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    config = CLIPConfig(
        text_config={"vocab_size": len(tokenizer), **width, **ends},
        vision_config={"image_size": 32, "patch_size": 8, **width},
        projection_dim=8,
    )
    return PickScorer(CLIPModel(config).eval(), tokenizer)


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((32, 32, 3), (40, 64, 3))]


def test_scores_are_the_logits_of_clip_itself(scorer: PickScorer) -> None:
    scores = scorer.score("a red cat", pictures())
    tokens = scorer.tokenize(["a red cat"], return_tensors="pt", padding=True)
    pixels = torch.stack([clip_pixels(picture, 32) for picture in pictures()])
    with torch.no_grad():
        expected = scorer.model(pixel_values=pixels, **tokens).logits_per_image[:, 0]
    assert scores.logits == pytest.approx(expected.tolist(), rel=1e-5)
    scale = scorer.model.logit_scale.exp().item()
    assert scores.logits == pytest.approx([scale * c for c in scores.cosines])
    assert scores.logits[0] != pytest.approx(scores.logits[1], rel=1e-4)


def test_a_saved_folder_scores_alike(scorer: PickScorer, tmp_path: Path) -> None:
    scorer.model.save_pretrained(tmp_path / "model")
    scorer.tokenize.save_pretrained(tmp_path / "words")
    loaded = load_pick_scorer(tmp_path / "model", tmp_path / "words")
    again = loaded.score("a dog", pictures())
    assert again.logits == pytest.approx(scorer.score("a dog", pictures()).logits, rel=1e-5)
    with pytest.raises(SituError, match="not a folder of a CLIP model"):
        load_pick_scorer(tmp_path / "nowhere")


def test_no_picture_has_no_score(scorer: PickScorer) -> None:
    with pytest.raises(SituError, match="nothing to score"):
        scorer.score("a dog", [])


def test_long_prompts_are_cut(scorer: PickScorer) -> None:
    assert math.isfinite(scorer.score("cat " * 300, pictures()).logits[0])


def test_pixels_are_those_of_the_centre() -> None:
    picture = np.zeros((8, 24, 3), np.uint8)
    picture[:, 8:16] = 255
    white = (1 - np.array([0.48145466, 0.4578275, 0.40821073])) / [
        0.26862954,
        0.26130258,
        0.27577711,
    ]
    pixels = clip_pixels(picture, 8)
    assert pixels.shape == (3, 8, 8)
    assert pixels.amin(dim=(1, 2)).tolist() == pytest.approx(white.tolist(), rel=1e-5)
    with pytest.raises(SituError, match=r"float64 \[8, 8, 3\]"):
        clip_pixels(np.zeros((8, 8, 3)), 8)


def test_pixels_equal_those_of_transformers() -> None:
    processing = pytest.importorskip("transformers.models.clip.image_processing_pil_clip")
    own = {"shortest_edge": 32}
    processor = processing.CLIPImageProcessorPil(size=own, crop_size={"height": 32, "width": 32})
    for picture in (*pictures(), np.tile(np.arange(90, dtype=np.uint8)[:, None, None], (1, 51, 3))):
        expected = processor(picture, return_tensors="pt")["pixel_values"][0]
        assert torch.allclose(clip_pixels(picture, 32), expected, atol=1e-5)
