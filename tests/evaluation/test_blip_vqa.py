"""BLIP-VQA's glue on a tiny random network, held against transformers' own generation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertTokenizer, BlipConfig, BlipForQuestionAnswering

from situ.evaluation.blip_vqa import (
    DECODE,
    ENCODE,
    NO,
    YES,
    BlipVqa,
    clean,
    load_blip_vqa,
    prepare,
    share_of_yes,
)
from situ.scene import SituError

SIZE = 48
WORDS = {"yes": YES, "no": NO, "?": 1029, "a": 1037, "red": 2417, "cat": 4937, "dog": 3899}


def tokenizer() -> BertTokenizer:
    """BERT's numbers for the words of these tests; all else is unused."""
    special = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
    taken = {number: word for word, number in (special | WORDS).items()}
    return BertTokenizer({taken.get(i, f"[unused{i}]"): i for i in range(DECODE)})


def network(words: int = ENCODE + 1) -> Any:
    torch.manual_seed(0)
    width = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    config = BlipConfig(
        text_config={
            "vocab_size": words,
            "encoder_hidden_size": 16,
            "num_hidden_layers": 1,
            "max_position_embeddings": 64,
            "bos_token_id": DECODE,
            "initializer_range": 0.5,
            **width,
        },
        vision_config={
            "image_size": 32,
            "patch_size": 16,
            "num_hidden_layers": 1,
            "initializer_range": 0.5,
            **width,
        },
        projection_dim=8,
    )
    return BlipForQuestionAnswering(config).eval()


@pytest.fixture(scope="module")
def scorer() -> BlipVqa:
    return BlipVqa(network(), tokenizer(), SIZE)


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (20 + 7 * i, 50, 3), dtype=np.uint8) for i in range(count)]


def test_the_answer_is_that_of_generation(scorer: BlipVqa) -> None:
    (picture,), question = pictures(1), "a red cat?"
    ids = torch.tensor([[ENCODE, 1037, 2417, 4937, 1029, 102]])
    generated = scorer.model.generate(
        input_ids=ids,
        pixel_values=prepare(picture, SIZE)[None],
        interpolate_pos_encoding=True,
        output_logits=True,
        return_dict_in_generate=True,
        max_new_tokens=1,
        do_sample=False,
    )
    odds = generated.logits[0][0].softmax(0)[[YES, NO]]
    assert scorer.yes([picture], [question]) == pytest.approx(
        [(odds[0] / odds.sum()).item()], abs=1e-6
    )


def test_a_batch_answers_like_single_questions(scorer: BlipVqa) -> None:
    asked = ["a cat?", "a red cat a red dog a cat?", "dog?", "a dog?", "cat?"]
    seen = pictures(5)
    alone = [scorer.yes([p], [q])[0] for p, q in zip(seen, asked, strict=True)]
    assert scorer.yes(seen, asked) == pytest.approx(alone, abs=1e-6)
    small = BlipVqa(scorer.model, scorer.tokenize, SIZE, at_once=2)
    assert small.yes(seen, asked) == pytest.approx(alone, abs=1e-6)
    assert len({round(value, 6) for value in alone}) == 5
    assert scorer.yes([], []) == []


def test_quirk_the_first_token_is_enc_and_the_answer_starts_with_dec(scorer: BlipVqa) -> None:
    given: dict[str, list[Any]] = {"text_encoder": [], "text_decoder": []}

    def note(name: str) -> Any:
        return lambda module, args, kwargs: given[name].append(kwargs["input_ids"].tolist())

    hooks = [
        getattr(scorer.model, name).register_forward_pre_hook(note(name), with_kwargs=True)
        for name in ("text_encoder", "text_decoder")
    ]
    scorer.yes(pictures(2), ["A cat.?", "cat"])
    for hook in hooks:
        hook.remove()
    assert given["text_encoder"] == [[[ENCODE, 4937, 102]], [[ENCODE, 1037, 4937, 1029, 102]]]
    assert given["text_decoder"] == [[[DECODE]], [[DECODE]]]


def test_questions_are_cut_at_35_tokens(scorer: BlipVqa) -> None:
    assert len(scorer._tokens("cat " * 50)) == 35


def test_quirk_yes_is_renormalised_over_two_words() -> None:
    logits = torch.full((2, ENCODE + 1), 50.0)
    logits[0, YES], logits[0, NO] = 1.0, 0.0
    logits[1, YES], logits[1, NO] = -3.0, -3.0
    assert share_of_yes(logits).tolist() == pytest.approx([1 / (1 + np.exp(-1)), 0.5])


def test_questions_are_cleaned_as_in_training() -> None:
    assert clean(' A "red" cat; (here) #1: *~!.? ') == "a red cat here 1 ?"


def test_pictures_are_squeezed_and_normalised() -> None:
    picture = np.full((10, 30, 3), (255, 0, 128), np.uint8)
    pixels = prepare(picture, 24)
    assert pixels.shape == (3, 24, 24)
    mean, deviation = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    expected = [(v - m) / d for v, m, d in zip((1, 0, 128 / 255), mean, deviation, strict=True)]
    assert pixels[:, 5, 7].tolist() == pytest.approx(expected, rel=1e-5)
    assert prepare(picture).shape == (3, 480, 480)
    with pytest.raises(SituError, match=r"float64 \[4, 4, 3\]"):
        prepare(np.zeros((4, 4, 3)))


def test_a_saved_folder_answers_alike(scorer: BlipVqa, tmp_path: Path) -> None:
    scorer.model.save_pretrained(tmp_path / "blip")
    scorer.tokenize.save_pretrained(tmp_path / "blip")  # pyright: ignore[reportAttributeAccessIssue]
    loaded = load_blip_vqa(tmp_path / "blip")
    assert loaded.size == 480
    same = BlipVqa(loaded.model, loaded.tokenize, SIZE)
    asked = (pictures(1), ["a red cat?"])
    assert same.yes(*asked) == pytest.approx(scorer.yes(*asked), abs=1e-6)


def test_what_does_not_fit_is_refused(scorer: BlipVqa, tmp_path: Path) -> None:
    with pytest.raises(SituError, match="must be pairs"):
        scorer.yes(pictures(2), ["a cat?"])
    with pytest.raises(SituError, match="has 30000 words"):
        BlipVqa(network(30000), tokenizer())
    with pytest.raises(SituError, match="not a folder of a BLIP-VQA model"):
        load_blip_vqa(tmp_path / "nowhere")
