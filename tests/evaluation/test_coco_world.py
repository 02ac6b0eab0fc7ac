"""The coco world's folder of weights: tiny random networks through the paths that large ones take."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPConfig, CLIPModel, DPTConfig, DPTForDepthEstimation, DPTImageProcessor

from situ.evaluation.clip_score import ClipScorer
from situ.evaluation.coco_world import DEPTH_SIDE, WEIGHTS, CocoWorld
from situ.models.clip import train_tokenizer

SIDE = 32


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, 48, 40, 3), np.uint8)


def put_clip(weights: Path, what: str, seed: int) -> None:
    """A tiny CLIP in the place of a repository."""
    torch.manual_seed(seed)
    shared = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config={"vocab_size": 600, "num_hidden_layers": 1, "eos_token_id": 1, **shared},
        vision_config={"image_size": SIDE, "patch_size": 16, "num_hidden_layers": 1, **shared},
        projection_dim=8,
    )
    folder = weights / WEIGHTS[what].name
    CLIPModel(config).save_pretrained(folder)
    train_tokenizer(["a red fish and a blue house"], 600).save_pretrained(folder)


def test_the_names_of_networks_change_with_their_weights(tmp_path: Path) -> None:
    put_clip(tmp_path, "clip", 0)
    before = CocoWorld(tmp_path).models
    put_clip(tmp_path, "clip", 1)
    after = CocoWorld(tmp_path).models
    assert {name for name in before if before[name] != after[name]} == {"clip"}
    assert before["clip"].startswith("clip-vit-base-patch32-")
    assert before["detector"] == "grounding-dino-tiny"  # not there, so without a digest


def test_pickscore_is_the_cosine_of_each_picture_with_its_own_text(tmp_path: Path) -> None:
    put_clip(tmp_path, "preference", 0)
    world, some = CocoWorld(tmp_path, device="cpu"), pictures(3)
    texts = ["a red fish", "a blue house", "a fish"]
    encoder = ClipScorer.from_folder(tmp_path / WEIGHTS["preference"].name)
    image, text = encoder.image_features(some), encoder.text_features(texts)
    expected = (image * text).sum(1) / np.linalg.norm(image, axis=1) / np.linalg.norm(text, axis=1)
    rows = world.prefer(some, texts)
    np.testing.assert_allclose(rows[:, 0], expected, atol=1e-5)
    scale = float(encoder.model.logit_scale.exp())
    np.testing.assert_allclose(rows[:, 1], scale * rows[:, 0], rtol=1e-5)


def test_cmmd_sees_the_whole_picture_and_the_clip_score_its_middle(tmp_path: Path) -> None:
    for what in ("clip", "cmmd"):
        put_clip(tmp_path, what, 0)
    world = CocoWorld(tmp_path, device="cpu")
    plain = np.concatenate([pictures(1), pictures(1)], 1)  # 96 rows of 40
    framed = plain.copy()
    framed[:, :12], framed[:, -12:] = 0, 0  # outside of the middle square
    assert np.array_equal(world.embed_pictures(plain), world.embed_pictures(framed))
    assert not np.allclose(world.embed_for_cmmd(plain), world.embed_for_cmmd(framed))


def test_depth_maps_are_averaged_to_one_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = DPTConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=SIDE,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
    )
    folder = tmp_path / WEIGHTS["depth"].name
    model = DPTForDepthEstimation(config).eval()
    model.save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    DPTImageProcessor(size=size, keep_aspect_ratio=False).save_pretrained(folder)
    seen = CocoWorld(tmp_path, device="cpu").nearness(pictures(2))
    assert seen.shape == (2, DEPTH_SIDE, DEPTH_SIDE)
    images = DPTImageProcessor(size=size, keep_aspect_ratio=False)
    with torch.no_grad():
        depth = model(**images(list(pictures(2)), return_tensors="pt")).predicted_depth
    np.testing.assert_allclose(seen.mean((1, 2)), depth.mean((1, 2)), rtol=1e-3)


@pytest.mark.parametrize("what", ["answers", "depth", "clip"])
def test_a_folder_without_weights_is_named(tmp_path: Path, what: str) -> None:
    folder = tmp_path / WEIGHTS[what].name
    folder.mkdir()
    world, some = CocoWorld(tmp_path, device="cpu"), pictures(1)
    look = {
        "answers": lambda: world.answer(some, [["a cat?"]]),
        "depth": lambda: world.nearness(some),
        "clip": lambda: world.embed_pictures(some),
    }
    with pytest.raises(ValueError, match=WEIGHTS[what].name):
        look[what]()
