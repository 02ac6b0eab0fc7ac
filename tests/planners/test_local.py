"""A language model in this process: a tiny one that talks nonsense, and a pretended one that answers well."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from situ.planners import plan_by_rules
from situ.planners.llm import LOCAL, Endpoint, conversation, plan_by_llm
from situ.planners.local import InProcess, is_closed, prompt
from situ.scene import SituError

CAPTION = "a cat on a mat"
GOOD = {
    "objects": [
        {"phrase": "cat", "x0": 300, "y0": 300, "x1": 600, "y1": 700},
        {"phrase": "mat", "x0": 100, "y0": 600, "x1": 900, "y1": 900},
    ],
    "relations": [{"subject": "cat", "predicate": "on", "object": "mat"}],
}
TEMPLATE = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}[assistant]"
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    + TEMPLATE
)


def tokenizer(template: str | None = TEMPLATE) -> Any:
    """Of bytes, so that every text is some tokens and back."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: i for i, letter in enumerate([*letters, "<end>"])}
    made = Tokenizer(models.BPE(vocabulary, [], unk_token=None))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<end>")
    fast.chat_template = template
    return fast


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights on disk, as a person would hand one in."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=257,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=9000,
    )
    path = tmp_path_factory.mktemp("llm")
    LlamaForCausalLM(config).save_pretrained(path)
    tokenizer().save_pretrained(path)
    return path


class Says:
    """A model that says given texts in turn, one token at a time, as `generate` would."""

    def __init__(self, *texts: str, length: int = 20_000) -> None:
        self.texts, self.asked = list(texts), []
        self.tokens = tokenizer()
        self.device = torch.device("cpu")
        self.config = SimpleNamespace(max_position_embeddings=length)

    def generate(self, ids: torch.Tensor, *, max_new_tokens: int, **how: Any) -> torch.Tensor:
        self.asked.append((self.tokens.decode(ids[0]), how))
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        for token in self.tokens(text)["input_ids"][:max_new_tokens]:
            ids = torch.cat([ids, torch.tensor([[token]])], 1)
            if how["stopping_criteria"](ids, None).all():
                break
        return ids


def planned(*texts: str, **options: Any) -> tuple[Any, Says]:
    model = Says(*texts)
    ask = InProcess(model, model.tokens, **options)
    return plan_by_llm(CAPTION, Endpoint(f"{LOCAL}x"), ask=ask), model


def test_a_good_answer_is_the_layout() -> None:
    plan, model = planned(json.dumps(GOOD))
    assert plan.planner == "llm"
    assert plan.layout[0].box.xyxy == (0.3, 0.3, 0.6, 0.7)
    assert plan.symbols.describe() == "1 cat; 1 mat; cat on mat"
    (asked, how), *more = model.asked
    assert not more
    assert how["do_sample"] is False
    assert asked.startswith("[system]You plan where things go")
    assert asked.endswith(f"[user]Caption: {CAPTION}[assistant]")


def test_thoughts_and_what_follows_the_object_are_left_out() -> None:
    text = (
        f'<think>{{"objects": []}} no</think> Here: {json.dumps(GOOD)} and more {{"objects": []}}'
    )
    plan, model = planned(text)
    assert plan.planner == "llm"
    assert len(model.asked) == 1


def test_a_bad_answer_is_repaired_once() -> None:
    bad = json.dumps(GOOD).replace("600, ", "1600, ", 1)
    plan, model = planned(bad, json.dumps(GOOD))
    assert plan.planner == "llm"
    assert len(model.asked) == 2
    assert "0..1000" in model.asked[1][0]


@pytest.mark.parametrize("text", ["I cannot help.", '{"objects": []}', "", "{" * 50])
def test_two_bad_answers_leave_it_to_the_rules(text: str) -> None:
    plan, _ = planned(text)
    assert plan.planner == "rules"
    assert plan.layout == plan_by_rules(CAPTION).layout
    assert "planned by rules" in plan.warnings[0]


def test_a_model_of_random_weights_leaves_it_to_the_rules(folder: Path) -> None:
    endpoint = Endpoint(f"{LOCAL}{folder}", max_tokens=40)
    plan = plan_by_llm(CAPTION, endpoint)
    assert plan.planner == "rules"
    assert plan.layout == plan_by_rules(CAPTION).layout
    assert "two answers could not be used" in plan.warnings[0] or "text" in plan.warnings[0]


def test_greedy_is_the_same_whatever_the_seed_and_leaves_the_dice_alone(folder: Path) -> None:
    from situ.planners.local import in_process

    messages = conversation(CAPTION, 1)
    greedy, free = (in_process(str(folder), 12, t, 60) for t in (0.0, 5.0))
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    assert greedy(messages, 0) == greedy(messages, 1)
    assert free(messages, 0) == free(messages, 0) != free(messages, 1)
    assert torch.equal(before, torch.random.get_rng_state())


def test_time_is_kept(folder: Path) -> None:
    from situ.planners.local import in_process

    slow = in_process(str(folder), 4000, 5.0, 1e-6)
    assert len(tokenizer()(slow(conversation(CAPTION, 1), 0))["input_ids"]) < 20


def test_a_prompt_that_is_too_long_leaves_it_to_the_rules() -> None:
    model = Says(json.dumps(GOOD), length=100)
    plan = plan_by_llm(CAPTION, Endpoint(f"{LOCAL}x"), ask=InProcess(model, model.tokens))
    assert plan.planner == "rules"
    assert "reads 100" in plan.warnings[0]
    assert not model.asked


def test_prompts_of_models_with_two_roles_or_no_template() -> None:
    messages = conversation(CAPTION, 1)
    with_system = prompt(tokenizer(), messages)
    assert with_system.count("[system]") == 1
    merged = prompt(tokenizer(NO_SYSTEM), messages)
    assert merged.startswith("[user]You plan where things go")
    assert merged.count("[user]") == with_system.count("[user]")
    plain = prompt(tokenizer(None), messages)
    assert plain.startswith("Instruction: ")
    assert plain.endswith("Answer:")
    with pytest.raises(SituError, match="chat template refuses") as caught:
        prompt(tokenizer("{{ raise_exception('never') }}"), messages)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ('{"a": 1}', True),
        ('say {"a": {"b": 2}} and', True),
        ('{"a": {"b": 2}', False),
        ('{"a": "}"', False),
        ('{"a": "\\"}"', False),
        ('{"a": "\\"}"}', True),
        ("}", False),
        ("", False),
    ],
)
def test_an_object_that_is_closed(text: str, closed: bool) -> None:
    assert is_closed(text) == closed


def test_a_model_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    for name in (str(tmp_path), str(tmp_path / "none")):
        with pytest.raises(SituError, match="no language model that can be loaded") as caught:
            plan_by_llm(CAPTION, Endpoint(f"{LOCAL}{name}"))
        assert "\n" not in str(caught.value)


def test_a_local_model_has_no_address() -> None:
    with pytest.raises(SituError, match="leave it out"):
        Endpoint(f"{LOCAL}x", "http://localhost/v1")
    with pytest.raises(SituError, match="name the model"):
        Endpoint(LOCAL)
