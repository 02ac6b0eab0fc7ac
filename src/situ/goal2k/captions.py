"""Stage 3: a sentence for each symbolic scene, by its template or by a language model.

A model's caption counts only after the rules that plan layouts have read the same scene out of it: nothing
missing, nothing added, every relation told. What they read otherwise goes back to the model as a complaint.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from situ.goal2k.endpoint import Client, FailedError, Message, persist
from situ.goal2k.journal import Row, lost, with_failures
from situ.goal2k.prompts import Prompt, digest, same_words
from situ.goal2k.settings import Captions
from situ.goal2k.templates import caption as by_template
from situ.planners.reader import read
from situ.planners.symbols import Symbols
from situ.scene import SceneError
from situ.scene.errors import shown
from situ.scene.fields import entry, mapping, text
from situ.scene.strict_json import parse

MAX_CHARACTERS = 300
EXAMPLES = 3
INVERSE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
ALSO = {"next to": ("near",), "above": ("on",), "on": ("above",)}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"caption": {"type": "string"}},
    "required": ["caption"],
    "additionalProperties": False,
}
INSTRUCTION = (
    "You write captions for pictures. You are given the things of a picture, how many there are of each, "
    "and how they stand to each other. Write ONE natural English sentence that names every thing with "
    "exactly its words, says the numbers of those that are more than one, and tells every relation. "
    'Name no other thing; a place such as a beach may be named. Answer with a JSON object {"caption": ...}.'
)

Ask = Callable[[Sequence[Message], int], str]


def grammar_rows(prompts: Sequence[Prompt]) -> list[Row]:
    """Captions by template; one that cannot be read back as its own scene is lost."""
    return [_grammar_row(prompt) for prompt in prompts]


def asker(settings: Captions) -> Callable[[Prompt], Row]:
    """Captions by the model of the settings."""
    client = Client(settings)

    def ask(messages: Sequence[Message], seed: int) -> str:
        return client.text(messages, SCHEMA, seed, settings.temperature, settings.max_tokens)

    return lambda prompt: asked_row(prompt, ask, settings)


def asked_row(prompt: Prompt, ask: Ask, settings: Captions) -> Row:
    """The row of a prompt whose caption a model writes."""
    told: list[str] = []

    def attempt(number: int, before: FailedError | None) -> str:
        messages = conversation(prompt)
        if told and before and before.why == "malformed":
            complaint = f"That cannot be used: {before.detail}. Answer again with the JSON object."
            messages.append({"role": "assistant", "content": told[-1][:4000]})
            messages.append({"role": "user", "content": complaint})
        told.append(ask(messages, digest(prompt.id, str(number)) % 2**31))
        try:
            return checked(told[-1], prompt)
        except SceneError as error:
            raise FailedError("malformed", str(error)) from None

    outcome = persist(attempt, settings)
    if outcome.value is None:
        return lost(prompt.id, *outcome.last, outcome.failures)
    return {
        "id": prompt.id,
        "caption": outcome.value,
        "by": settings.model,
        **with_failures(outcome.failures),
    }


def conversation(prompt: Prompt) -> list[Message]:
    """Instruction, templates of the same things as examples, and the scene."""
    messages = [{"role": "system", "content": INSTRUCTION}]
    for scene, words in _EXAMPLES[:EXAMPLES]:
        messages.append({"role": "user", "content": scene})
        messages.append({"role": "assistant", "content": json.dumps({"caption": words})})
    return [*messages, {"role": "user", "content": described(prompt)}]


def described(prompt: Prompt) -> str:
    """The symbolic scene in words, as a model is told it."""
    things = ", ".join(f"{thing.count} x {thing.phrase}" for thing in prompt.things)
    names = prompt.phrases
    relations = "; ".join(
        f"{names[r.subject]} {r.predicate} {names[r.object]}" for r in prompt.relations
    )
    return f"Things: {things}. Relations: {relations or 'none'}."


def checked(answer: str, prompt: Prompt) -> str:
    """The caption of an answer. SceneError says, for the model to read, what is wrong with it."""
    start, end = answer.find("{"), answer.rfind("}")
    if start < 0 or end < start:
        raise SceneError("the answer holds no JSON object")
    said = text(entry(mapping(parse(answer[start : end + 1]), "the answer"), "caption"), "caption")
    caption = " ".join(said.split())
    if len(caption) > MAX_CHARACTERS:
        raise SceneError(f"caption has {len(caption)} characters; at most {MAX_CHARACTERS}")
    complaint = difference(prompt, read(caption))
    if complaint:
        raise SceneError(complaint)
    return caption


def difference(prompt: Prompt, symbols: Symbols) -> str:
    """What a sentence, as it was read, tells otherwise than the prompt; "" where it tells the same."""
    asked = Counter({thing.phrase: thing.count for thing in prompt.things})
    told: Counter[str] = Counter()
    for thing in symbols.things:
        told[thing.phrase] += thing.count
    for phrase, count in asked.items():
        if told[phrase] != count:
            return f"the caption must tell of {count} x {phrase}, it tells of {told[phrase]}"
    extra = sorted(set(told) - set(asked))
    if extra:
        return f"the caption also tells of {shown(extra[0])}; leave it out"
    return _untold(prompt, symbols)


def doubles(rows: Sequence[Row], taken: set[str]) -> list[Row]:
    """The rows, where a caption that another prompt or a benchmark has is lost."""
    used, kept = set(taken), []
    for row in rows:
        words = same_words(row.get("caption", ""))
        if words and words in used:
            kept.append(lost(row["id"], "double", "another prompt or a held-out one says the same"))
            continue
        used.add(words)
        kept.append(row)
    return kept


def _grammar_row(prompt: Prompt) -> Row:
    caption = by_template(prompt)
    complaint = difference(prompt, read(caption))
    if complaint:
        return lost(prompt.id, "read otherwise", complaint)
    return {"id": prompt.id, "caption": caption, "by": "grammar"}


def _untold(prompt: Prompt, symbols: Symbols) -> str:
    names = prompt.phrases
    told = {
        (symbols.things[r.subject].phrase, r.predicate, symbols.things[r.object].phrase)
        for r in symbols.relations
    }
    for relation in prompt.relations:
        one, other = names[relation.subject], names[relation.object]
        fitting = {(one, p, other) for p in (relation.predicate, *ALSO.get(relation.predicate, ()))}
        if relation.predicate in INVERSE:
            fitting.add((other, INVERSE[relation.predicate], one))
        if relation.predicate == "next to":
            fitting |= {(other, "next to", one), (other, "near", one)}
        if not fitting & told:
            return f"the caption must tell that {one} is {relation.predicate} {other}"
    return ""


_EXAMPLES = (
    (
        "Things: 1 x red bus, 1 x wooden bench. Relations: red bus left of wooden bench.",
        "A red bus stands to the left of a wooden bench.",
    ),
    ("Things: 3 x dog, 1 x sofa. Relations: none.", "Three dogs and a sofa."),
    (
        "Things: 1 x blue bowl, 1 x round clock. Relations: round clock above blue bowl.",
        "A round clock hangs above a blue bowl.",
    ),
)
