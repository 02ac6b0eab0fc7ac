"""Tiny random detectors against transformers' own decoding, and the storybook's judge on its pages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from situ.evaluation.detections import Detection
from situ.evaluation.detectors import (
    ClosedEyes,
    GroundingEyes,
    NetworkDetector,
    OwlEyes,
    Settings,
    StorybookDetector,
    distinct,
    load_detector,
)
from situ.models.clip import train_tokenizer
from situ.scene import Box, SituError
from situ.storybook.grammar import phrase
from situ.storybook.render import render
from situ.storybook.world import sample_page

ALL = Settings(score=0.0, most=10_000)
HEIGHT, WIDTH = 40, 60
# Grounding DINO parts phrases at the numbers that these have among BERT's words.
MARKS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
WORDS = {"a": 1, "cat": 2, "red": 3, "fish": 4, "dog": 5, "table": 6}


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (3, HEIGHT, WIDTH, 3), np.uint8)


@pytest.fixture(scope="module")
def rt_detr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import AutoConfig, RTDetrConfig, RTDetrForObjectDetection
    from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

    torch.manual_seed(0)
    backbone = AutoConfig.for_model(
        "rt_detr_resnet",
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrConfig(
        backbone_config=backbone,
        encoder_hidden_dim=16,
        encoder_in_channels=[8, 8, 8],
        encoder_layers=1,
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=16,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_layers=1,
        decoder_attention_heads=2,
        num_queries=12,
        num_denoising=0,
        id2label={0: "cat", 1: "sofa", 2: "N/A"},
    )
    folder = tmp_path_factory.mktemp("rt_detr")
    model = RTDetrForObjectDetection(config)
    heads: Any = model.model.decoder.class_embed
    for head in heads:  # random, not all alike
        torch.nn.init.normal_(head.weight, std=1.0)
    model.save_pretrained(folder)
    RTDetrImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def owl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import Owlv2Config, Owlv2ForObjectDetection
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil

    torch.manual_seed(0)
    pytest.importorskip("scipy")
    tokenizer = train_tokenizer(["a cat and a red fish at a table with a dog"] * 2, 600)
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 12,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "pad_token_id": 0,
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    folder = tmp_path_factory.mktemp("owl")
    config = Owlv2Config(text_config=text, vision_config=vision, projection_dim=16)
    model = Owlv2ForObjectDetection(config)
    torch.nn.init.normal_(model.box_head.dense2.weight, std=0.05)  # boxes near their own cells
    torch.nn.init.zeros_(model.box_head.dense2.bias)
    torch.nn.init.normal_(model.class_head.logit_scale.weight, std=0.05)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    Owlv2ImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["grounding-dino", "mm-grounding-dino"])
def grounding(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import AutoConfig, AutoModelForZeroShotObjectDetection, BertTokenizer
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
        GroundingDinoImageProcessorPil,
    )

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("grounding")
    BertTokenizer(vocab=MARKS | WORDS).save_pretrained(folder)
    backbone = {
        "model_type": "swin",
        "image_size": 64,
        "embed_dim": 8,
        "depths": [1, 1, 1, 1],
        "num_heads": [1, 1, 1, 1],
        "window_size": 4,
        "out_indices": [2, 3, 4],
    }
    text = {
        "model_type": "bert",
        "vocab_size": 1030,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 32,
    }
    config = AutoConfig.for_model(
        request.param,
        backbone_config=backbone,
        text_config=text,
        d_model=32,  # its norms have 32 groups
        encoder_layers=1,
        decoder_layers=2,  # its heads are tied to the first of them
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_queries=10,
        max_text_len=16,
    )
    AutoModelForZeroShotObjectDetection.from_config(config).save_pretrained(folder)
    GroundingDinoImageProcessorPil(size={"height": 96, "width": 96}).save_pretrained(folder)
    return folder


def network(folder: Path, settings: Settings | str = ALL) -> NetworkDetector:
    detector = load_detector(folder, settings, local_only=True)
    assert isinstance(detector, NetworkDetector)
    return detector


Row = tuple[str, float, float, float, float, float]  # label, score, corners


def measured(found: Sequence[Detection]) -> list[Row]:
    return [(d.label, d.score, *d.box.xyxy) for d in found]


def expected(decoded: Any, names: Sequence[str]) -> list[Row]:
    """transformers' findings, in pixels of the picture, cut at its edge, the surest first."""
    rows = []
    parts = (decoded[key].tolist() for key in ("labels", "scores", "boxes"))
    for label, score, (x0, y0, x1, y1) in zip(*parts, strict=True):
        box = Box.clamped(x0 / WIDTH, y0 / HEIGHT, x1 / WIDTH, y1 / HEIGHT)
        if box and label < len(names):
            rows.append((names[label], score, *box.xyxy))
    return sorted(rows, key=lambda row: -row[1])


def assert_alike(ours: list[Row], theirs: list[Row]) -> None:
    assert [row[0] for row in ours] == [row[0] for row in theirs]
    assert len(ours) > 3
    assert np.allclose([row[1:] for row in ours], [row[1:] for row in theirs], atol=1e-4)


def test_a_closed_detector_agrees_with_its_own_decoding(
    rt_detr: Path, pictures: NDArray[np.uint8]
) -> None:
    detector = network(rt_detr)
    eyes = detector.eyes
    assert isinstance(eyes, ClosedEyes)
    assert eyes.labels == ("cat", "couch")  # COCO's name, and no "N/A"
    found = detector.find(pictures, [["cat"], ["couch", "cat"], []])
    images = [Image.fromarray(picture) for picture in pictures]
    with torch.inference_mode():
        out = eyes.model(**eyes.images(images, return_tensors="pt"))
    theirs = eyes.images.post_process_object_detection(out, 0.0, [(HEIGHT, WIDTH)] * 3)
    for some, their in zip(found, theirs, strict=True):
        best = expected(their, eyes.labels)  # of its best 12 of 36 pairs; "N/A" is none of ours
        assert len(some) == 24
        assert_alike(measured(some)[: len(best)], best)


def test_the_thresholds_are_kept(rt_detr: Path, pictures: NDArray[np.uint8]) -> None:
    everything = network(rt_detr).find(pictures, [[]] * 3)
    middle = sorted(d.score for d in everything[0])[10]
    few = network(rt_detr, Settings(score=middle, most=5, at_once=1)).find(pictures, [[]] * 3)
    assert few[0] == [d for d in everything[0] if d.score > middle][:5]
    assert len(few[0]) == 5


def test_a_class_that_a_closed_detector_lacks_is_refused(
    rt_detr: Path, pictures: NDArray[np.uint8]
) -> None:
    with pytest.raises(SituError, match="'red cat' is no class of this detector.*cat, couch"):
        network(rt_detr).find(pictures, [["cat"], [], ["red cat"]])


def test_detr_ends_in_nothing() -> None:
    """One output more than classes: softmax, and the last column is no class."""

    class Fake:
        class config:  # noqa: N801
            id2label = {0: "cat", 1: "dog"}  # noqa: RUF012

        device, dtype = torch.device("cpu"), torch.float32

        def __call__(self, pixel_values: torch.Tensor) -> Any:
            logits = torch.tensor([[[1.0, 2.0, 3.0]]])
            return type("Out", (), {"logits": logits, "pred_boxes": torch.full((1, 1, 4), 0.5)})

    def images(*_: Any, **__: Any) -> dict[str, torch.Tensor]:
        return {"pixel_values": torch.zeros(1, 3, 2, 2)}

    detector = NetworkDetector(ClosedEyes(Fake(), images), ALL, exclusive=False)
    found = detector.find(np.zeros((1, 2, 2, 3), np.uint8), [[]])[0]
    total = np.exp(1) + np.exp(2) + np.exp(3)
    assert [(d.label, d.score) for d in found] == [
        ("dog", pytest.approx(np.exp(2) / total)),
        ("cat", pytest.approx(np.exp(1) / total)),
    ]
    assert found[0].box == Box(0.25, 0.25, 0.75, 0.75)


def test_owl_agrees_with_its_own_decoding(owl: Path, pictures: NDArray[np.uint8]) -> None:
    detector = network(owl)
    eyes = detector.eyes
    assert isinstance(eyes, OwlEyes)
    asked = ["cat", "red fish", "dog"]
    found = detector.find(pictures, [asked] * 3)
    images = [Image.fromarray(picture) for picture in pictures]
    words = eyes.tokenizer(
        asked * 3, padding="max_length", max_length=12, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        out = eyes.model(
            input_ids=words["input_ids"],
            attention_mask=words["attention_mask"],
            **eyes.images(images, return_tensors="pt"),
        )
    theirs = eyes.images.post_process_object_detection(out, 0.0, [(HEIGHT, WIDTH)] * 3)
    for some, their in zip(found, theirs, strict=True):
        assert_alike(measured(some), expected(their, asked))


def test_owl_never_answers_with_the_padding(owl: Path, pictures: NDArray[np.uint8]) -> None:
    """A picture with one phrase, beside one with three, is read as if it were alone."""
    detector = network(owl)
    together = detector.find(pictures, [["cat", "dog", "table"], ["fish"], []])
    alone = detector.find(pictures[1:2], [["fish"]])
    assert {d.label for d in together[1]} == {"fish"}
    assert_alike(measured(together[1]), measured(alone[0]))
    assert together[2] == []


def test_grounding_scores_a_phrase_by_its_best_token(
    grounding: Path, pictures: NDArray[np.uint8]
) -> None:
    detector = network(grounding)
    eyes = detector.eyes
    assert isinstance(eyes, GroundingEyes)
    scores, boxes = _look(eyes, pictures[:2], [("cat", "Red fish"), ("a dog?", "cat", "table")])
    for row, (text, spans) in enumerate(
        [("cat. red fish.", [(1, 2), (3, 5)]), ("a dog. cat. table.", [(1, 3), (4, 5), (6, 7)])]
    ):
        tokens = eyes.tokenizer([text], return_tensors="pt")
        images = eyes.images([Image.fromarray(pictures[row])], return_tensors="pt")
        with torch.inference_mode():
            out = eyes.model(**images, **tokens)
        chances = out.logits.sigmoid()[0]
        for column, (first, last) in enumerate(spans):
            best = chances[:, first:last].amax(1)
            assert torch.allclose(scores[row, :, column], best, atol=1e-5)
        assert torch.allclose(boxes[row], out.pred_boxes[0], atol=1e-5)
    assert scores[0, :, 2].eq(0).all()
    assert not torch.allclose(scores[0, :, 0], scores[0, :, 1], atol=1e-3)


def test_grounding_labels_with_whole_phrases(grounding: Path, pictures: NDArray[np.uint8]) -> None:
    asked = [["cat", "red fish", "cat"], ["table"], []]
    found = network(grounding).find(pictures, asked)
    for phrases, some in zip(asked, found, strict=True):
        assert {d.label for d in some} <= set(phrases)
        assert len(some) == (10 if phrases else 0)


def test_many_phrases_are_read_in_several_passes(
    grounding: Path, pictures: NDArray[np.uint8]
) -> None:
    eyes = network(grounding).eyes
    phrases = [f"a {color} {thing}" for color in ("red", "a") for thing in ("cat", "dog", "fish")]
    parts = eyes.passes(phrases)
    assert [phrase for part in parts for phrase in part] == phrases
    assert [len(part) for part in parts] == [3, 3]  # 4 tokens each, 14 at a time
    with pytest.raises(SituError, match="tokens; at most 14 are read"):
        eyes.passes(["red " * 20])


def test_the_weakest_of_overlapping_equals_goes() -> None:
    one, near, far = Box(0, 0, 0.4, 0.4), Box(0, 0, 0.4, 0.35), Box(0.5, 0.5, 0.9, 0.9)
    found = [
        Detection("cat", 0.5, near),
        Detection("cat", 0.9, one),
        Detection("dog", 0.3, near),
        Detection("cat", 0.4, far),
    ]
    assert one.iou(near) == pytest.approx(0.875)
    assert distinct(found, 0.8) == [found[1], found[3], found[2]]
    assert len(distinct(found, 0.9)) == 4


def test_missing_weights_say_what_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    needed = "IDEA-Research/grounding-dino-tiny.*model.safetensors.*preprocessor_config.json"
    with pytest.raises(SituError, match=needed) as caught:
        load_detector("grounding-dino", local_only=True)
    assert "\n" not in str(caught.value)
    with pytest.raises(SituError, match=r"the folder needs config\.json, model\.safetensors"):
        load_detector(tmp_path, local_only=True)


def test_weights_that_lack_a_layer_are_refused(rt_detr: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for file in rt_detr.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(rt_detr / "model.safetensors")
    lost = next(name for name in weights if "class_embed" in name and name.endswith("weight"))
    del weights[lost]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(SituError, match="the weights lack"):
        load_detector(tmp_path, local_only=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("precise", "did you mean 'precision'"),
        (("score", 2.0), "score must be in 0..1, got 2.0"),
        (("template", "a photo"), "must hold {} once"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(SituError) as caught:
        load_detector("x", settings if isinstance(settings, str) else Settings(**dict([settings])))
    assert message in str(caught.value)


def test_pictures_and_phrases_must_fit(pictures: NDArray[np.uint8]) -> None:
    detector = StorybookDetector()
    with pytest.raises(SituError, match="3 pictures came with phrases for 1"):
        detector.find(pictures, [[]])
    with pytest.raises(SituError, match=r"float64 \[3, 40, 60, 3\]; a detector reads uint8"):
        detector.find(pictures / 255.0, [[]] * 3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(SituError, match=r"phrases\[0\] is 'red fish'"):
        detector.find(pictures, ["red fish", [], []])


@pytest.mark.parametrize("word", ["kind", "colour", "look"])
def test_the_storybook_is_read_off_its_pages(word: Any) -> None:
    pages = [sample_page(seed) for seed in range(6)]
    pictures = np.stack([render(page, 128) for page in pages])
    asked = [[phrase(thing) for thing in page.things] for page in pages]
    found = StorybookDetector(word).find(pictures, asked)
    right = total = 0
    for page, detections in zip(pages, found, strict=True):
        for thing in page.things:
            texture = "" if thing.texture == "plain" else f"{thing.texture} "
            name = {
                "kind": thing.kind,
                "colour": f"{thing.colour} {thing.kind}",
                "look": f"{texture}{thing.colour} {thing.kind}",
            }[word]
            near = [d for d in detections if d.box.iou(thing.box) >= 0.5]
            right += any(d.label == name for d in near)
            total += 1
    assert right / total > 0.85


def test_the_storybook_knows_its_own_words_only() -> None:
    detector = load_detector("storybook:look")
    assert isinstance(detector, StorybookDetector)
    assert detector.word == "look"
    with pytest.raises(SituError, match="word 'looks' is unknown; did you mean 'look'"):
        load_detector("storybook:looks")
    with pytest.raises(SituError, match="not of the storybook"):
        StorybookDetector().find(np.zeros((1, 128, 128, 3), np.uint8), [["red castle"]])


def _look(eyes: Any, pictures: NDArray[np.uint8], phrases: Any) -> tuple[Any, Any]:
    with torch.inference_mode():
        return eyes.look(pictures, phrases)
