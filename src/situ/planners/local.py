"""A language model in this process, asked as an endpoint is: messages in, the text of an answer out.

Weights come from safetensors only and no code of a model's repository is run.
"""

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from situ.scene import SituError
from situ.scene.errors import shown

THOUGHT, THOUGHT_ENDS = "<think>", "</think>"  # what comes before is the model talking to itself
ROLES = {"system": "Instruction", "user": "Question", "assistant": "Answer"}

Message = dict[str, str]


class InProcess:
    """A transformers model and its tokenizer as an `Ask` of situ.planners.llm.

    temperature 0 is greedy and the same for every seed. An answer ends with the JSON object, at max_tokens
    or after timeout_s.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        max_tokens: int = 4000,
        temperature: float = 0.0,
        timeout_s: float = 60.0,
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.max_tokens, self.temperature, self.timeout_s = max_tokens, temperature, timeout_s

    def __call__(self, messages: Sequence[Message], seed: int) -> str:
        """Raises SituError where the messages are longer than the model reads, or it says nothing."""
        import torch

        asked = prompt(self.tokenizer, messages)
        tokens = self.tokenizer(asked, add_special_tokens=False)
        ids = torch.tensor([tokens["input_ids"]], device=self.model.device)
        room = self._room(ids.shape[1])
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(seed)
            out = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=min(self.max_tokens, room),
                stopping_criteria=self._ends(ids.shape[1], asked.rstrip().endswith(THOUGHT)),
                pad_token_id=self._padding(),
                **self._sampling(),
            )
        text = self._said(out[0, ids.shape[1] :]).split(THOUGHT_ENDS)[-1]
        if not text.strip():
            raise SituError("the model answered without a text")
        return text

    def _length(self) -> int:
        return int(getattr(self.model.config, "max_position_embeddings", None) or 2**31)

    def _padding(self) -> int:
        known = (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id, 0)
        return next(token for token in known if token is not None)

    def _room(self, taken: int) -> int:
        """Tokens that are left after a prompt of `taken`."""
        if taken >= self._length():
            raise SituError(f"the prompt has {taken} tokens; this model reads {self._length()}")
        return self._length() - taken

    def _sampling(self) -> dict[str, Any]:
        if self.temperature:
            return {"do_sample": True, "temperature": self.temperature}
        plain = {
            "temperature": None,
            "top_p": None,
            "top_k": None,
        }  # or greedy search warns of them
        return {"do_sample": False, **plain}

    def _said(self, tokens: Any) -> str:
        return self.tokenizer.decode(tokens, skip_special_tokens=True)

    def _ends(self, start: int, thinking: bool) -> Any:
        """Stop where the JSON object is closed, after any thoughts, or time is up."""
        from transformers import StoppingCriteriaList

        deadline = time.monotonic() + self.timeout_s

        def ended(ids: Any, scores: Any, **_: Any) -> bool:
            text = self._said(ids[0, start:])
            if (thinking or THOUGHT in text) and THOUGHT_ENDS not in text:
                return time.monotonic() > deadline
            return time.monotonic() > deadline or is_closed(text.split(THOUGHT_ENDS)[-1])

        return StoppingCriteriaList([ended])


def in_process(name: str, max_tokens: int, temperature: float, timeout_s: float) -> InProcess:
    """The model of a folder or hub id. Raises SituError, in one line, if it cannot be loaded."""
    model, tokenizer = _loaded(name)
    return InProcess(model, tokenizer, max_tokens, temperature, timeout_s)


def prompt(tokenizer: Any, messages: Sequence[Message]) -> str:
    """Messages by the model's chat template; without a role for instructions, or without any template at
    all, in the nearest form that it knows."""
    if not getattr(tokenizer, "chat_template", None):
        turns = [f"{ROLES[m['role']]}: {m['content']}" for m in messages]
        return "\n\n".join([*turns, f"{ROLES['assistant']}:"])
    for form in (list(messages), _without_system(messages)):
        try:
            return tokenizer.apply_chat_template(form, tokenize=False, add_generation_prompt=True)
        except Exception as error:  # jinja2's, raised by the template itself
            reason = str(error)
    raise SituError(f"the model's chat template refuses the conversation: {reason[:200]}")


def is_closed(text: str) -> bool:
    """Whether a text holds a whole JSON object: its first brace is closed, outside of strings."""
    depth, quoted, escaped = 0, False, False
    for letter in text[text.find("{") :] if "{" in text else "":
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = letter == "\\", letter != '"'
        elif letter == '"':
            quoted = True
        elif letter in "{}":
            depth += 1 if letter == "{" else -1
            if depth == 0:
                return True
    return False


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """The instruction in front of the first question, for templates that know two roles."""
    head, first, *rest = messages
    return [{"role": "user", "content": f"{head['content']}\n\n{first['content']}"}, *rest]


@lru_cache(maxsize=1)
def _loaded(name: str) -> tuple[Any, Any]:
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            name, dtype="auto", use_safetensors=True, trust_remote_code=False
        )
    except Exception as error:  # the hub's, the library's and the system's have no common base
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SituError(
            f"model: {shown(name)} is no language model that can be loaded here ({reason[:300]}); give a "
            "folder with config.json, a tokenizer and safetensors, or a hub id owner/name"
        ) from None
    return model.eval(), tokenizer
