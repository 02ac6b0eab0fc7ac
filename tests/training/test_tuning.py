"""GOAL's fine-tuning: without its two losses it is plain fine-tuning, and only what is chosen learns."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from goal_parts import CAPTIONS, ITEMS, LATENTS, clip_pair, random_backbone, tables
from torch import Tensor

from situ.diffusion.sampler import sample
from situ.diffusion.solvers import ddim
from situ.models.backbone import Backbone
from situ.scene import SituError
from situ.training.checkpoint import trained_weights
from situ.training.denoising import DenoisingObjective, DenoisingSettings, LatentData
from situ.training.loop import Loop, step_generator, train
from situ.training.masked_attention import AttentionSettings, MAAlign
from situ.training.semantic import DSAlign, PixelCritic, SemanticSettings
from situ.training.tuning import (
    TuningData,
    TuningObjective,
    TuningSettings,
    choose_,
    nearest,
    some_of,
    troubles,
    watch,
)

LOOP = Loop(steps=3, batch=4, lr=1e-3, warmup=0, decay="constant", weight_decay=0.0, clip=0.0)
DROPS = DenoisingSettings(drop_caption=0.3, drop_grounding=0.3, drop_both=0.2)


def backbone() -> Backbone:
    made = random_backbone()
    made.unet.plain_attention = True
    made.unet.requires_grad_(False)
    return made


def objective(made: Backbone, **settings: Any) -> TuningObjective:
    clip = clip_pair(made)
    made.autoencoder.requires_grad_(False)
    critic = PixelCritic(clip, made.autoencoder.decode)
    return TuningObjective(
        made.unet,
        made.text.model,
        made.schedule,
        TuningSettings(**settings),
        DSAlign(critic, made.schedule, SemanticSettings()),
        MAAlign(made.unet, AttentionSettings(size=4, union=True)),
    )


def data(made: Backbone, settings: DenoisingSettings | None = None, **options: Any) -> TuningData:
    still = TuningSettings().denoising
    known = tables(clip_pair(made))
    return TuningData(ITEMS, LATENTS, made.text, settings or still, **known, **options)


def plain_data(made: Backbone, settings: DenoisingSettings) -> LatentData:
    phrases = sorted({p for item in ITEMS for p in item.layout.phrases})
    return LatentData(
        ITEMS,
        LATENTS,
        [made.text.tokens(item.captions) for item in ITEMS],
        made.text.tokens([""])[0],
        dict(zip(phrases, made.text.encode(phrases).pooled, strict=True)),
        np.zeros((4, 1, 1, 3), np.uint8),
        settings,
    )


def trained(made: Any, source: Any, folder: Path) -> dict[str, Tensor]:
    list(train(made, source, LOOP, folder))
    return trained_weights(folder)


def test_without_its_losses_it_is_plain_fine_tuning_bit_for_bit(tmp_path: Path) -> None:
    one, two = backbone(), backbone()
    still = TuningSettings().denoising
    plain = DenoisingObjective(two.unet, two.text.model, two.schedule, still)
    choose_(two.unet, ("gated", "self", "cross"))
    ours = trained(objective(one, alpha=0.0, beta=0.0), data(one), tmp_path / "ours")
    theirs = trained(plain, plain_data(two, still), tmp_path / "plain")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("settings", [DenoisingSettings(), DROPS])
def test_data_is_that_of_plain_training_and_more(settings: DenoisingSettings) -> None:
    made = backbone()
    more, plain = data(made, settings, boxes=1), plain_data(made, settings)
    for step in range(3):
        a, b = (d.batch(8, step_generator(1, step)) for d in (more, plain))
        assert all(torch.equal(a[name], b[name]) for name in b)
        assert a.keys() - b.keys() == {
            "told",
            "words",
            "chosen",
            "caption_vectors",
            "phrase_vectors",
        }


def test_a_batch_tells_which_words_and_vectors_belong_to_its_captions() -> None:
    made = backbone()
    source = data(made, DROPS)
    known, empty = tables(clip_pair(made)), made.text.tokens([""])[0]
    batch = source.batch(32, step_generator(0, 0))
    tokens = made.text.tokens(CAPTIONS)
    dropped = (batch["tokens"] == empty).all(1)
    assert 0 < dropped.sum() < 32
    assert torch.equal(batch["told"] == 0, dropped)
    assert batch["words"][dropped].sum() == 0
    for b in (~dropped).nonzero()[:, 0].tolist():
        row = int((tokens == batch["tokens"][b]).all(1).nonzero())
        item = ITEMS[row]
        number = known["captions"].numbers[item.captions[0]]
        assert torch.equal(batch["caption_vectors"][b], known["captions"].vectors[number])
        for slot, phrase in enumerate(item.layout.phrases):
            number = known["phrases"].numbers[phrase]
            assert torch.equal(batch["phrase_vectors"][b, slot], known["phrases"].vectors[number])
            ids = batch["tokens"][b][batch["words"][b, slot] > 0]
            said = made.text.tokenizer.decode(ids).strip()
            assert said == {"kite": "", "dotted green tree": "dotted green trees"}.get(
                phrase, phrase
            )
    assert torch.equal(batch["chosen"], batch["masks"])


def test_some_boxes_are_random_ones_of_those_that_are_there() -> None:
    masks = torch.tensor([[1.0, 1, 1, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]).repeat(200, 1)
    chosen = some_of(masks, 2, torch.Generator().manual_seed(0))
    assert (chosen <= masks).all()
    assert chosen.sum(1).view(200, 3).unique(dim=0).tolist() == [[2, 1, 0]]
    assert (chosen[::3, :4].mean(0) - 0.5).abs().max() < 0.15
    assert torch.equal(some_of(masks, 0, torch.Generator()), masks)


def test_loss_is_equation_15() -> None:
    made = backbone()
    batch = data(made).batch(8, step_generator(0, 1))
    whole = objective(made, alpha=0.5, beta=0.25)(batch)
    expected = whole["diffusion"] + 0.5 * whole["semantic"] + 0.25 * whole["attention"]
    assert whole["loss"].item() == pytest.approx(expected.item(), rel=1e-6)
    assert whole["semantic"].item() == pytest.approx((whole["local"] + whole["global"]).item())
    assert whole["attention"].item() == pytest.approx((whole["inside"] + whole["outside"]).item())
    assert min(whole[n].item() for n in ("diffusion", "local", "global", "inside", "outside")) > 0
    alone = objective(made, alpha=0.0, beta=0.0)(batch)
    assert alone.keys() == {"loss", "diffusion"}
    assert alone["loss"].item() == pytest.approx(whole["diffusion"].item(), rel=1e-6)


@pytest.mark.parametrize("parts", [("gated", "self", "cross"), ("cross",), ("gated", "position")])
def test_what_is_chosen_learns_and_nothing_else_changes(
    parts: tuple[str, ...], tmp_path: Path
) -> None:
    made = backbone()
    goal = objective(made, alpha=1.0, beta=1.0, trained=parts)
    assert goal.semantic is not None
    critic: Any = goal.semantic.critic
    frozen = {"text": made.text.model, "coder": made.autoencoder, "clip": critic.clip.image}
    before = {k: {n: p.clone() for n, p in m.named_parameters()} for k, m in frozen.items()}
    start = {n: p.clone() for n, p in made.unet.named_parameters()}
    list(train(goal, data(made), LOOP, tmp_path))
    marks = {"gated": "fuser", "self": "attn1", "cross": "attn2", "position": "position_net"}
    for name, p in made.unet.named_parameters():
        chosen = any(marks[part] in name for part in parts)
        assert torch.equal(p, start[name]) != chosen, name
    for key, module in frozen.items():
        assert all(torch.equal(p, before[key][n]) for n, p in module.named_parameters())
    assert all(name.startswith("unet.") for name in trained_weights(tmp_path))


class Same:
    """One batch, again and again."""

    def __init__(self, batch: dict[str, Tensor]) -> None:
        self.only = batch

    def batch(self, size: int, rng: torch.Generator) -> dict[str, Tensor]:
        return self.only


def test_both_losses_fall_when_they_are_followed(tmp_path: Path) -> None:
    made = backbone()
    goal, still = (
        objective(made, alpha=100.0, beta=100.0),
        data(made).batch(4, step_generator(3, 3)),
    )
    loop = dataclasses.replace(LOOP, steps=6, lr=2e-3)
    records = list(train(goal, Same(still), loop, tmp_path))
    for name in ("semantic", "attention"):
        assert records[-1].losses[name] < 0.999 * records[0].losses[name], name


def test_the_monitor_tells_every_term_the_gates_and_the_boxes() -> None:
    made = backbone()
    found = watch(objective(made), data(made).batch(4, step_generator(0, 2)), (700,))
    assert {"probe_700", "probe_700_gap", "held_out_semantic", "held_out_attention"} <= found.keys()
    gates = [value for name, value in found.items() if name.startswith("gate/")]
    assert found["gate_mean"] == pytest.approx(sum(map(abs, gates)) / len(gates))
    for name, parameter in made.unet.named_parameters():
        if name.endswith(("alpha_attn", "alpha_dense")):
            torch.nn.init.zeros_(parameter)
    with pytest.warns(UserWarning, match="gate|boxes") as told:
        watch(objective(made), data(made).batch(4, step_generator(0, 2)), (700,))
    said = " ".join(str(w.message) for w in told)
    assert "every gate is below" in said
    assert "boxes are ignored" in said


def test_no_trouble_where_gates_are_open_and_boxes_help() -> None:
    assert troubles({"gate_most": 0.3, "probe_500_gap": 0.1, "probe_700_gap": 4.0}) == []
    assert len(troubles({"gate_most": 0.3, "probe_700_gap": 0.1})) == 1


def test_mistakes_are_named() -> None:
    made = backbone()
    with pytest.raises(SituError, match="did you mean 'cross'"):
        TuningSettings(trained=("cros",))
    with pytest.raises(SituError, match="alpha"):
        TuningSettings(alpha=-1.0)
    with pytest.raises(SituError, match="beta is 0.001, but nothing"):
        TuningObjective(made.unet, made.text.model, made.schedule, TuningSettings(alpha=0.0))
    with pytest.raises(SituError, match="none of gated"):
        choose_(random_backbone(gated=False).unet, ("gated",))
    with pytest.raises(SituError, match="latents: 3 for 4"):
        TuningData(ITEMS, LATENTS[:3], made.text, DenoisingSettings())


def test_a_set_without_any_object_can_be_trained_on(tmp_path: Path) -> None:
    made = backbone()
    bare = [item for item in ITEMS if not item.layout]
    known = tables(clip_pair(made))
    source = TuningData(bare, LATENTS[:1], made.text, DenoisingSettings(), **known)
    batch = source.batch(4, step_generator(0, 0))
    found = objective(made)(batch)
    assert found["local"] == found["attention"] == 0
    assert found["global"] > 0


def test_the_nearest_phrases_are_others_by_cosine() -> None:
    vectors = torch.tensor([[1.0, 0], [2, 0], [1, 0.2], [0, 1], [-1, 0]])
    slots = torch.stack([vectors[:1], torch.zeros(1, 2)], 1)  # [1, 2, 2]
    found = nearest(slots, vectors, 2)
    assert found[0, 0].tolist() == vectors[[2, 3]].tolist()
    assert not found[0, 1].any()
    assert nearest(slots, vectors[:2], 3).tolist() == torch.zeros(1, 2, 3, 2).tolist()


def test_states_of_its_own_are_those_that_the_sampler_passes() -> None:
    made = backbone()
    ours = objective(made, alpha=1.0, beta=0.0, own=0.5, own_steps=5)
    batch = data(made).batch(4, step_generator(0, 1))
    states = ours._states(batch["tokens"])
    tokens = made.unet.position_net(batch["boxes_xyxy"], batch["masks"], batch["phrases"])
    path = made.schedule.steps(5)
    asked = torch.tensor([999, path[2].t + 20, 0, path[1].t])
    z, t = ours.draw(batch["noise"], asked, states, tokens, torch.ones(4))
    assert t.tolist() == [path[0].t, path[2].t, path[4].t, path[1].t]
    for row, stop in enumerate((0, 2, 4, 1)):
        wanted = batch["noise"][row : row + 1]
        branch = made.branch(states[row : row + 1], tokens[row : row + 1], [1.0] * 5)
        for frame in sample(path[:stop], wanted, branch, solver=ddim):
            wanted = frame.z
        assert (z[row] - wanted[0]).abs().max() < 1e-5


def test_what_it_has_drawn_is_judged_and_has_no_diffusion_loss() -> None:
    made = backbone()
    batch = data(made).batch(8, step_generator(0, 1))
    ours = objective(made, alpha=1.0, beta=0.0, own=0.5, own_steps=4)
    assert ours.semantic
    seen, judge = [], ours.semantic
    ours.semantic = lambda z0, told: seen.append(told["t"]) or judge(z0, told)  # type: ignore
    losses = ours(batch)
    rest = {name: rows[4:] for name, rows in batch.items()}
    plain = objective(made, alpha=0.0, beta=0.0)(rest)
    assert losses["diffusion"].item() == pytest.approx(plain["diffusion"].item(), rel=1e-5)
    t = seen[0]
    assert set(t[:4].tolist()) <= {step.t for step in made.schedule.steps(4)}
    assert torch.equal(t[4:], batch["t"][4:])
    losses["loss"].backward()
    gradients = [p.grad for p in made.unet.parameters() if p.requires_grad]
    assert all(g is not None and bool(g.isfinite().all()) for g in gradients)
    again = objective(made, alpha=1.0, beta=0.0, own=0.5, own_steps=4)(batch)
    assert torch.equal(again["loss"], losses["loss"])


@pytest.mark.parametrize("wrong", [{"own": 1.0}, {"own": -0.1}, {"own_steps": 0}])
def test_a_share_of_own_states_that_leaves_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SituError, match=f"objective.{next(iter(wrong))} is"):
        TuningSettings(**wrong)
