"""Text encoding against transformers' own pooled output, token spans by hand, grounding tensors."""

import warnings

import pytest
import torch

from situ.conditioning.grounding import Grounding
from situ.conditioning.text import TextEncoder, check_width
from situ.models.clip import text_encoder, train_tokenizer
from situ.scene import Box, Layout, Object, Scene, SituError
from situ.scene.layout import MAX_OBJECTS

WORDS = ["a red fish to the left of a striped blue house", "two red fish at night"] * 3


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    torch.manual_seed(0)
    tokenizer = train_tokenizer(WORDS, 600)
    return TextEncoder(tokenizer, text_encoder(tokenizer, 32, 2, 2, 16).eval())


def test_pooled_is_the_state_at_the_first_end_token(encoder: TextEncoder) -> None:
    texts = ["a red fish", "a striped blue house at night", ""]
    coded = encoder.encode(texts)
    ids = encoder.tokens(texts)
    with torch.no_grad():
        text_model = encoder.model.text_model(input_ids=ids)
    assert torch.equal(coded.pooled, text_model.pooler_output)
    assert coded.states.shape == (3, 77, 32)


def test_a_text_is_encoded_the_same_alone_and_among_others(encoder: TextEncoder) -> None:
    together = encoder.encode(["a red fish", "a blue house", "a red fish"])
    assert torch.equal(together.states[0], together.states[2])
    assert torch.allclose(encoder.encode(["a red fish"]).states[0], together.states[0], atol=1e-6)


def test_any_text_has_tokens(encoder: TextEncoder) -> None:
    for text in ("zebra", "Ünïcödé 漢字 🐟", "\t", ""):
        assert encoder.tokens([text]).shape == (1, 77)


def test_a_long_caption_is_cut_with_a_warning(encoder: TextEncoder) -> None:
    with pytest.warns(UserWarning, match="only 77 are read"):
        assert encoder.tokens(["red fish " * 250]).shape == (1, 77)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.tokens(["a red fish"])


def test_span_names_the_tokens_of_the_phrase(encoder: TextEncoder) -> None:
    box = Box(0, 0, 0.5, 0.5)
    objects = (Object("red fish", box), Object("blue house", box), Object("green cat", box))
    scene = Scene("a red fish and a blue house", Layout(objects))
    tokens = encoder.tokenizer.convert_ids_to_tokens(encoder.tokenizer(scene.caption).input_ids)

    def words(index: int) -> str:
        return "".join(tokens[i] for i in encoder.span(scene, index)).replace("</w>", " ").strip()

    assert words(0) == "red fish"
    assert words(1) == "blue house"
    assert encoder.span(scene, 2) == ()


def test_grounding_fills_slots_in_order_and_leaves_the_rest_empty() -> None:
    layout = Layout((Object("a", Box(0.1, 0.2, 0.3, 0.4)), Object("b", Box(0.5, 0.5, 1, 1))))
    vectors = {"a": torch.ones(4), "b": torch.full((4,), 2.0)}
    grounding = Grounding.of([layout, Layout()], vectors, 4)
    assert grounding.boxes_xyxy.shape == (2, MAX_OBJECTS, 4)
    assert grounding.boxes_xyxy.dtype == torch.float32
    assert grounding.masks.sum(1).tolist() == [2, 0]
    assert grounding.boxes_xyxy[0, 0].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert grounding.phrases[0, :3, 0].tolist() == [1, 2, 0]


def test_a_text_encoder_of_another_width_is_refused(encoder: TextEncoder) -> None:
    with pytest.raises(SituError, match="32 channels.*768"):
        check_width(encoder, 768)
