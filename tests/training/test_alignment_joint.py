"""Algorithm 1 in full: what moves the latent, which weights learn from which loss, and at which rate."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_backbone import random_backbone
from torch import Tensor

from situ.data.coco import Crop, Item
from situ.models.aligner import Aligner, AlignerConfig
from situ.models.backbone import Backbone
from situ.scene import Box, Layout, Object, SituError
from situ.training.alignment import AlignmentObjective, AlignmentSettings
from situ.training.alignment_data import AlignmentData, pooled
from situ.training.alignment_joint import JointData, JointObjective, UNetSettings, misfit
from situ.training.checkpoint import trained_weights
from situ.training.loop import Batch, Loop, step_generator, train

LR = 1e-2
PHRASES = ("red fish", "blue house")


def item(k: int) -> Item:
    box = Box(0.1, 0.2, 0.6, 0.9) if k % 2 else Box(0.3, 0.3, 0.8, 0.7)
    layout = Layout((Object(PHRASES[k % 2], box),)) if k % 4 else Layout()
    return Item(k, Path("none.png"), Crop(8, 8), (f"a {PHRASES[k % 2]} at night",), layout, ())


ITEMS = tuple(item(k) for k in range(8))


def parts(backbone: Backbone, **settings: object) -> tuple[JointObjective, JointData]:
    torch.manual_seed(2)
    chosen = UNetSettings(**{"drop": 0.0, **settings})  # type: ignore[arg-type]
    captions = pooled(backbone.text, [caption for one in ITEMS for caption in one.captions])
    phrases = pooled(backbone.text, PHRASES)
    aligner = Aligner(AlignerConfig(4, 2, 32, 1, 2, 32))
    alignment = AlignmentObjective(
        aligner, phrases.vectors, backbone.schedule, AlignmentSettings(lambda_local=0.5)
    )
    latents = np.random.default_rng(0).normal(size=(len(ITEMS), 4, 8, 8)).astype(np.float16)
    data = AlignmentData(ITEMS, latents, captions, phrases)
    unet, text = backbone.unet, backbone.text.model
    joint = JointObjective(alignment, unet, text, chosen, LR)
    return joint, JointData(data, captions, backbone.text, chosen.drop)


def doubled(joint: JointObjective, batch: Batch) -> Batch:
    """The objective in double precision, in place, and its batch."""
    joint.double()
    joint.frozen[0].double()
    joint.alignment.table = (joint.alignment.table[0].double(),)
    return {n: rows.double() if rows.is_floating_point() else rows for n, rows in batch.items()}


@pytest.mark.parametrize("trained", ["gated", "all"])
def test_only_the_chosen_layers_change(trained: str, tmp_path: Path) -> None:
    backbone = random_backbone()
    before = {name: t.clone() for name, t in backbone.unet.state_dict().items()}
    joint, data = parts(backbone, train_unet=trained, drop=0.3)
    said = [r.losses for r in train(joint, data, Loop(2, 8, LR, warmup=1), tmp_path)]
    assert all(np.isfinite(list(losses.values())).all() for losses in said)
    after = backbone.unet.state_dict()
    changed = {name for name, t in after.items() if not torch.equal(t, before[name])}
    assert any(".fuser." in name for name in changed)
    assert all(".fuser." in name for name in changed) == (trained == "gated")
    if trained == "all":
        assert {"conv_in.weight", "position_net.linears.0.weight"} <= changed


def test_line_12_is_the_latent_less_a_multiple_of_the_numeric_gradient() -> None:
    joint, data = parts(random_backbone(), train_unet="gated", align_form="raw", align_size=0.3)
    batch = doubled(joint, data.batch(3, step_generator(0, 0)))
    alignment, z = joint.alignment, torch.randn(3, 4, 8, 8, dtype=torch.float64)
    level = alignment.schedule.level(batch["t"]).flatten().to(z)

    def value(z: Tensor) -> float:
        table = alignment.table[0]
        return misfit(alignment.aligner, z, level, batch, table, (1.0, 0.5)).sum().item()

    with torch.no_grad():
        move = (z - joint.aligned(z, batch)).flatten()
        for k in range(0, z.numel(), 61):
            nudge = torch.zeros_like(z)
            nudge.view(-1)[k] = 1e-5
            numeric = (value(z + nudge) - value(z - nudge)) / 2e-5
            assert move[k].item() == pytest.approx(0.3 * numeric, rel=1e-4, abs=1e-9)


def test_each_loss_reaches_its_own_network_and_its_gradient_is_the_numeric_one() -> None:
    joint, data = parts(random_backbone(), train_unet="gated")
    batch = doubled(joint, data.batch(4, step_generator(0, 1)))
    joint(batch)["loss"].backward()
    own = {n: p.grad.clone() for n, p in joint.trained.named_parameters() if p.grad is not None}
    joint.zero_grad()
    joint.alignment(batch)["loss"].backward()
    for name, p in joint.trained.named_parameters():
        if name.startswith("aligner."):
            assert p.grad is not None
            torch.testing.assert_close(own[name], p.grad)
    name, p = next((n, p) for n, p in joint.trained.named_parameters() if n.endswith("alpha_attn"))
    values = []
    for nudge in (1e-6, -1e-6):
        with torch.no_grad():
            p.add_(nudge)
            values.append(joint.noise_loss(batch).item())
            p.sub_(nudge)
    assert own[name].item() == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-4, abs=1e-9)


def test_without_a_move_both_targets_are_plain_denoising_with_true_boxes() -> None:
    """Line 13 with eta = 0, against the network called by hand."""
    backbone = random_backbone()
    joint, data = parts(backbone, train_unet="all", align_size=0.0)
    batch = data.batch(4, step_generator(0, 2))
    z0, t, schedule = batch["latents"].float(), batch["t"], backbone.schedule
    layouts = [
        next(
            one.layout
            for one, row in zip(ITEMS, data.data.latents, strict=True)
            if np.array_equal(row, latent.numpy())
        )
        for latent in batch["latents"]
    ]
    states = backbone.text.model(input_ids=batch["tokens"].long()).last_hidden_state
    with torch.no_grad():
        z = schedule.add_noise(z0, batch["noise"], t)
        said = backbone.unet(z, t, states, backbone.ground(layouts))
        loss = (said - schedule.target(z0, batch["noise"], t)).square().mean()
        found = joint.noise_loss(batch)
        other, _ = parts(backbone, train_unet="all", align_size=0.0, target="corrected")
        corrected = other.noise_loss(batch)
    torch.testing.assert_close(found, loss, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(corrected, found, rtol=1e-3, atol=1e-4)


def test_a_dropped_sample_has_neither_caption_nor_boxes_nor_a_move() -> None:
    backbone = random_backbone()
    (still, data), (moved, _) = (
        parts(backbone, train_unet="gated", drop=1.0, align_size=size) for size in (0.0, 0.4)
    )
    batch = data.batch(4, step_generator(0, 3))
    assert batch["kept"].tolist() == [0, 0, 0, 0]
    assert torch.equal(batch["tokens"], backbone.text.tokens([""] * 4).int())
    empty = {**batch, "masks": torch.zeros_like(batch["masks"])}
    with torch.no_grad():
        assert moved.noise_loss(batch) == still.noise_loss(batch)
        assert moved.noise_loss(batch) == moved.noise_loss(empty)
        batch["kept"] = torch.ones(4)
        assert moved.noise_loss(batch) != still.noise_loss(batch)


def test_the_u_net_has_its_own_learning_rate(tmp_path: Path) -> None:
    """Adam's first step is the learning rate, whatever the gradient."""
    backbone = random_backbone()
    joint, data = parts(backbone, train_unet="gated", lr=1e-4)
    before = {n: p.detach().clone() for n, p in joint.trained.named_parameters()}
    loop = Loop(1, 8, LR, warmup=1, decay="constant", weight_decay=0, clip=0)
    list(train(joint, data, loop, tmp_path))
    steps = {
        n: (p.detach() - before[n]).abs().max().item() for n, p in joint.trained.named_parameters()
    }
    unet = max(step for name, step in steps.items() if name.startswith("unet."))
    aligner = max(step for name, step in steps.items() if name.startswith("aligner."))
    assert unet == pytest.approx(1e-4, rel=0.05)
    assert aligner == pytest.approx(LR, rel=0.05)


def test_it_resumes_where_it_stopped(tmp_path: Path) -> None:
    def run(folder: str, stop: int) -> JointObjective:
        joint, data = parts(random_backbone(), train_unet="gated", lr=1e-3, drop=0.2)
        loop = Loop(stop, 4, LR, warmup=1, decay="constant")
        list(train(joint, data, loop, tmp_path / folder))
        return joint

    whole, _, rest = run("whole", 4), run("parts", 2), run("parts", 4)
    again = dict(rest.trained.named_parameters())
    for name, p in whole.trained.named_parameters():
        torch.testing.assert_close(p, again[name])


def test_two_processes_equal_one(tmp_path: Path) -> None:
    script = Path(__file__).with_name("two_joint.py")
    results = []
    for world in (1, 2):
        out = tmp_path / str(world)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"}
        environment |= {"MASTER_PORT": str(28500 + os.getpid() % 1000), "WORLD_SIZE": str(world)}
        runs = [
            subprocess.Popen([sys.executable, script, out], env={**environment, "RANK": str(rank)})
            for rank in range(world)
        ]
        assert [run.wait(300) for run in runs] == [0] * world
        results.append(trained_weights(out))
    for name in results[0]:
        if not name.endswith("qkv.bias"):  # that of keys changes nothing: Adam follows its rounding
            torch.testing.assert_close(results[0][name], results[1][name], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_unet": "gates"}, "unet.train_unet is 'gates': did you mean 'gated'"),
        ({"lr": -1.0}, "unet.lr is -1.0; 0 or more"),
        ({"align_form": "rms"}, "unet.align_form is 'rms': allowed: raw, share"),
        ({"target": "moved"}, "unet.target is 'moved'"),
        ({"drop": 1.5}, r"unet.drop is 1.5; it must be in 0..1"),
    ],
)
def test_settings_that_cannot_be(change: dict, message: str) -> None:
    with pytest.raises(SituError, match=message):
        UNetSettings(**change)


def test_a_network_without_gated_layers_cannot_train_them() -> None:
    with pytest.raises(SituError, match="this network has none of gated"):
        parts(random_backbone(gated=False), train_unet="gated")
