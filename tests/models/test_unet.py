"""The U-Net against diffusers' with the same weights, and what only ours can do."""

import gc
import json
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from situ.models.attention import (
    Attention,
    Context,
    Recorder,
    Site,
    logits,
    probabilities,
    where,
)
from situ.models.transformer import GatedSelfAttention
from situ.models.unet import UNet
from situ.models.unet_config import UNetConfig
from situ.ops.fourier import fourier_features
from situ.ops.masks import cell_centres
from situ.scene.errors import SituError

D = 24  # width of text and grounding tokens
SD1: dict[str, Any] = {
    "sample_size": 8,
    "block_out_channels": (16, 32),
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "layers_per_block": 2,
    "cross_attention_dim": D,
    "attention_head_dim": 4,
    "norm_num_groups": 8,
    "attention_type": "gated",
}
SD2: dict[str, Any] = {
    **SD1,
    "block_out_channels": (16, 32, 32),
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "attention_head_dim": [2, 4, 8],
    "use_linear_projection": True,
    "upcast_attention": True,
}
MIXED: dict[str, Any] = {
    **SD2,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"),
    "layers_per_block": [1, 3, 2],
}
PLAIN: dict[str, Any] = {**SD1, "attention_type": "default", "layers_per_block": 1}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randomise(model: nn.Module, seed: int = 0) -> None:
    """Untrained gates and null features are zero, which would hide what they do."""
    g = rng(seed)
    with torch.no_grad():
        for p in model.parameters():
            if p.ndim <= 1:
                p.copy_(torch.randn(p.shape, generator=g) * 0.5 + (p.ndim == 0))


def pair(settings: dict[str, Any]) -> tuple[UNet2DConditionModel, UNet]:
    torch.manual_seed(0)
    theirs = UNet2DConditionModel(**settings).eval()
    randomise(theirs)
    ours = UNet(UNetConfig.from_diffusers(theirs.config)).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours


class Batch:
    """Random inputs of a given batch and latent size; layouts of 0, 1, 2, ... objects."""

    def __init__(self, count: int = 3, height: int = 8, width: int = 8, dim: int = D) -> None:
        g = rng(1)
        corners = torch.rand(count, 30, 2, 2, generator=g).sort(dim=2).values
        self.z = torch.randn(count, 4, height, width, generator=g)
        self.t = torch.tensor([981, 500, 1, 21][:count])
        self.context = torch.randn(count, 7, dim, generator=g)
        self.boxes = corners.flatten(2)
        self.masks = (torch.arange(30)[None] < torch.arange(count)[:, None]).float()
        self.phrases = torch.randn(count, 30, dim, generator=g)

    def gligen(self) -> dict[str, Any]:
        slots = {
            "boxes": self.boxes,
            "masks": self.masks,
            "positive_embeddings": self.phrases,
        }
        return {"gligen": slots}

    def grounding(self, unet: UNet) -> Tensor:
        return unet.position_net(self.boxes, self.masks, self.phrases)


@pytest.fixture(scope="module")
def tiny() -> UNet:
    torch.manual_seed(0)
    unet = UNet(UNetConfig.from_diffusers(SD1)).eval()
    randomise(unet)
    return unet


@pytest.fixture
def batch() -> Batch:
    return Batch()


def run(unet: UNet, batch: Batch, **settings: Any) -> Tensor:
    settings = {"grounding": batch.grounding(unet), **settings}
    out = unet(batch.z, batch.t, batch.context, **settings)
    assert isinstance(out, Tensor)
    return out


@pytest.mark.parametrize("size", [(8, 8), (7, 10)])
@pytest.mark.parametrize("settings", [SD1, SD2, MIXED], ids=["sd1", "sd2", "mixed"])
@torch.no_grad()
def test_equals_diffusers(settings: dict[str, Any], size: tuple[int, int]):
    theirs, ours = pair(settings)
    batch = Batch(3, *size)
    wanted = theirs(batch.z, batch.t, batch.context, cross_attention_kwargs=batch.gligen()).sample
    plain = theirs(batch.z, batch.t, batch.context).sample
    assert (run(ours, batch) - wanted).abs().max() <= 1e-5
    assert (run(ours, batch, grounding=None) - plain).abs().max() <= 1e-5
    assert (wanted - plain).abs().max() > 1e-2, "the gated layers must matter in this test"


@torch.no_grad()
def test_equals_diffusers_without_gated_layers():
    theirs, ours = pair(PLAIN)
    batch = Batch()
    wanted = theirs(batch.z, 500, batch.context).sample
    found = ours(batch.z, 500, batch.context)
    assert found is not None
    assert (found - wanted).abs().max() <= 1e-5


@torch.no_grad()
def test_gradients_equal_diffusers():
    theirs, ours = pair(SD1)
    batch = Batch()
    with torch.enable_grad():
        run(ours, batch).square().sum().backward()
        out = theirs(batch.z, batch.t, batch.context, cross_attention_kwargs=batch.gligen())
        out.sample.square().sum().backward()
    grads = dict(theirs.named_parameters())
    for name, p in ours.named_parameters():
        torch.testing.assert_close(p.grad, grads[name].grad, atol=1e-4, rtol=1e-3)


@pytest.mark.slow
@torch.no_grad()
def test_equals_diffusers_at_full_size(capsys: pytest.CaptureFixture[str]):
    """SD-1.4 + GLIGEN, 1.07 G parameters: one model at a time, so 10 GB are enough."""
    torch.manual_seed(0)
    theirs = UNet2DConditionModel(
        sample_size=64, cross_attention_dim=768, attention_type="gated"
    ).eval()
    randomise(theirs)
    batch = Batch(1, 64, 64, dim=768)
    batch.masks[0, :3] = 1
    started = time.monotonic()
    wanted = theirs(batch.z, batch.t, batch.context, cross_attention_kwargs=batch.gligen()).sample
    their_seconds = time.monotonic() - started
    config, weights = UNetConfig.from_diffusers(theirs.config), theirs.state_dict()
    del theirs
    gc.collect()
    with torch.device("meta"):
        ours = UNet(config).eval()
    ours.load_state_dict(weights, strict=True, assign=True)
    started = time.monotonic()
    found = run(ours, batch)
    our_seconds = time.monotonic() - started
    difference = (found - wanted).abs().max().item()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    with capsys.disabled():
        print(
            f"\nfull size: max difference {difference:.2e} of {wanted.abs().max():.2f}, "
            f"{our_seconds:.1f} s (diffusers {their_seconds:.1f} s), peak {peak:.1f} GiB"
        )
    assert len(weights) == 966
    assert difference <= 1e-4


def test_config_survives_diffusers_json():
    for settings in (SD1, SD2, MIXED, PLAIN):
        config = UNetConfig.from_diffusers(UNet2DConditionModel(**settings).config)
        written = json.loads(json.dumps(config.to_diffusers()))
        assert UNetConfig.from_diffusers(written) == config
        theirs = UNet2DConditionModel.from_config(written)
        assert UNetConfig.from_diffusers(theirs.config) == config


def test_config_of_position_channels_is_kept_only_when_on():
    assert "position_channels" not in UNetConfig().to_diffusers()
    config = UNetConfig(position_channels=32)
    assert UNetConfig.from_diffusers(config.to_diffusers()) == config


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("act_fn", "gelu"),
        ("down_block_types", ("AttnDownBlock2D", "DownBlock2D")),
        ("up_block_types", ("UpBlock2D", "AttnUpBlock2D")),
        ("mid_block_type", "UNetMidBlock2D"),
        ("mid_block_type", None),
        ("attention_type", "gated-text-image"),
        ("transformer_layers_per_block", 2),
        ("time_embedding_type", "fourier"),
        ("class_embed_type", "timestep"),
        ("norm_eps", 1e-6),
        ("layers_per_block", [1, 2, 3]),
        ("norm_num_groups", 3),
        ("attention_head_dim", 5),
        ("cross_attention_dim", [24, 24]),
        ("position_channels", 6),
        ("use_gated_attention", True),
        ("_class_name", "UNet2DModel"),
        ("in_channels", 0),
        ("some_new_thing", 7),
    ],
)
def test_config_refuses_by_name(key: str, value: object):
    with pytest.raises(SituError, match=rf"^{key}") as caught:
        UNetConfig.from_diffusers({**SD1, key: value})
    assert "\n" not in str(caught.value)


def test_config_ignores_what_changes_nothing():
    extra = {
        "_diffusers_version": "0.42.1",
        "_name_or_path": "anywhere",
        "upcast_attention": True,
        "dropout": 0.0,
        "some_new_thing": None,
    }
    assert UNetConfig.from_diffusers({**SD1, **extra}) == UNetConfig.from_diffusers(SD1)


@torch.no_grad()
def test_gate_zero_skips_the_work(tiny: UNet, batch: Batch):
    calls: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: calls.append(module))
        for module in tiny.modules()
        if isinstance(module, GatedSelfAttention)
    ]
    plain = run(tiny, batch, grounding=None)
    assert torch.equal(run(tiny, batch, gate=0.0), plain)
    assert not calls
    run(tiny, batch, gate=0.5)
    assert len(calls) == len(hooks) == 6
    for hook in hooks:
        hook.remove()


@torch.no_grad()
def test_gate_scales_both_residuals_of_the_layer(tiny: UNet, batch: Batch):
    """gate g is the same as tanh(alpha) scaled by g."""
    found = run(tiny, batch, gate=0.25)
    kept = {n: p.clone() for n, p in tiny.named_parameters() if "alpha_" in n}
    for name, p in tiny.named_parameters():
        if name in kept:
            p.copy_((0.25 * p.tanh()).atanh())
    wanted = run(tiny, batch)
    tiny.load_state_dict(kept, strict=False)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)


@torch.no_grad()
def test_gate_per_sample(tiny: UNet, batch: Batch):
    gates = [0.0, 0.5, 1.0]
    together = run(tiny, batch, gate=torch.tensor(gates))
    for i, gate in enumerate(gates):
        torch.testing.assert_close(together[i], run(tiny, batch, gate=gate)[i], atol=1e-6, rtol=0)


@torch.no_grad()
def test_closed_gates_change_nothing(batch: Batch):
    torch.manual_seed(0)
    fresh = UNet(UNetConfig.from_diffusers(SD1))
    assert torch.equal(run(fresh, batch), run(fresh, batch, grounding=None))


@torch.no_grad()
def test_masked_content_is_irrelevant(tiny: UNet, batch: Batch):
    wanted = run(tiny, batch)
    empty = batch.masks == 0
    batch.boxes[empty], batch.phrases[empty] = 0.123, float("nan")
    assert torch.equal(run(tiny, batch), wanted)


@torch.no_grad()
def test_order_of_objects_is_irrelevant(tiny: UNet, batch: Batch):
    wanted = run(tiny, batch)
    order = torch.randperm(30, generator=rng(2))
    batch.boxes, batch.masks = batch.boxes[:, order], batch.masks[:, order]
    batch.phrases = batch.phrases[:, order]
    torch.testing.assert_close(run(tiny, batch), wanted, atol=1e-5, rtol=0)


@torch.no_grad()
def test_null_tokens_matter(tiny: UNet, batch: Batch):
    """Null grounding is neither no grounding nor fewer tokens (GLIGEN attends to all 30)."""
    batch.masks.zero_()
    null = run(tiny, batch)
    assert (null - run(tiny, batch, grounding=None)).abs().max() > 1e-3
    fewer = run(tiny, batch, grounding=batch.grounding(tiny)[:, :3])
    assert (null - fewer).abs().max() > 1e-3


@torch.no_grad()
def test_samples_do_not_touch_each_other(tiny: UNet, batch: Batch):
    """A batch mixes layouts of 0, 1 and 2 objects and different times."""
    together = run(tiny, batch)
    tokens = batch.grounding(tiny)
    for i in range(3):
        row = slice(i, i + 1)
        alone = tiny(batch.z[row], batch.t[row], batch.context[row], tokens[row])
        torch.testing.assert_close(together[row], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@torch.no_grad()
def test_position_net_keeps_fourier_features_in_fp32(dtype: torch.dtype):
    torch.manual_seed(0)
    net = UNet(UNetConfig.from_diffusers(SD1)).position_net
    seen: list[Tensor] = []
    net.linears.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    net.to(dtype)
    batch = Batch()
    batch.masks.fill_(1)
    net(batch.boxes, batch.masks, batch.phrases.to(dtype))
    assert torch.equal(seen[0][..., D:], fourier_features(batch.boxes).to(dtype))
    with pytest.raises(SituError, match=r"^boxes"):
        net(batch.boxes.to(dtype), batch.masks, batch.phrases)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@torch.no_grad()
def test_low_precision_stays_close(batch: Batch, dtype: torch.dtype):
    torch.manual_seed(0)
    unet = UNet(UNetConfig.from_diffusers(SD1))
    wanted = run(unet, batch)
    found = run(unet.to(dtype), batch)
    assert found.dtype == batch.z.dtype
    torch.testing.assert_close(found, wanted, atol=0.1, rtol=0)


@torch.no_grad()
def test_context_with_separate_values(tiny: UNet, batch: Batch):
    same = run(tiny, batch)
    other = batch.context.flip(0)
    batch.context = Context(batch.context, batch.context)  # pyright: ignore
    assert torch.equal(run(tiny, batch), same)
    batch.context = Context(batch.context.key, other)  # pyright: ignore
    assert not torch.allclose(run(tiny, batch), same)


@torch.no_grad()
def test_plain_attention_and_channels_last_change_nothing(tiny: UNet, batch: Batch):
    wanted = run(tiny, batch)
    tiny.plain_attention = True
    found = run(tiny, batch)
    tiny.plain_attention = False
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)
    batch.z = batch.z.to(memory_format=torch.channels_last)
    torch.testing.assert_close(run(tiny, batch), wanted, atol=1e-5, rtol=0)


def test_trains_under_autocast(batch: Batch):
    torch.manual_seed(0)
    unet = UNet(UNetConfig.from_diffusers(SD1))
    unet.plain_attention = True
    with torch.autocast("cpu", torch.bfloat16):
        loss = (run(unet, batch) - batch.z).square().mean()
    loss.backward()
    assert loss.dtype == torch.float32
    assert all(p.grad is not None for p in unet.parameters())


def test_position_channels(batch: Batch):
    config = replace(UNetConfig.from_diffusers(SD1), position_channels=32)
    torch.manual_seed(0)
    unet = UNet(config)
    assert unet.position_in.weight.shape == (16, 32)
    entered: list[Tensor] = []
    unet.down_blocks[0].resnets[0].register_forward_pre_hook(  # pyright: ignore
        lambda _, args: entered.append(args[0])
    )
    run(unet, batch)
    features = fourier_features(cell_centres(8, 8))
    wanted = unet.conv_in(batch.z) + (features @ unet.position_in.weight.T).permute(2, 0, 1)
    torch.testing.assert_close(entered[0], wanted)


def test_cell_centres_are_x_then_y():
    centres = cell_centres(2, 4)
    assert centres.shape == (2, 4, 2)
    assert centres[1, 3].tolist() == [0.875, 0.75]


def test_zero_residuals_start_at_zero(batch: Batch):
    torch.manual_seed(0)
    unet = UNet(UNetConfig.from_diffusers(SD1)).zero_residuals_()
    assert run(unet, batch).abs().max() == 0


@pytest.mark.parametrize("settings", [SD1, SD2, MIXED], ids=["sd1", "sd2", "mixed"])
@pytest.mark.parametrize("size", [(8, 8), (7, 10)])
@torch.no_grad()
def test_sites_are_those_visited_in_order(settings: dict[str, Any], size: tuple[int, int]):
    unet = UNet(UNetConfig.from_diffusers(settings))
    visited: list[Site] = []

    def look(site: Site, q: Tensor, k: Tensor, step: object) -> None:
        visited.append(site)
        cells = site.height * site.width
        keys = {"self": cells, "gated": cells + 30, "cross": 7}[site.kind]
        assert q.shape[:3] == (3, site.heads, cells)
        assert k.shape[:3] == (3, site.heads, keys)

    run(unet, Batch(3, *size), attend=look)
    assert tuple(visited) == unet.sites(*size)
    modules = dict(unet.named_modules())
    for site in visited:
        assert isinstance(modules[site.name], Attention)
        assert site.name.startswith(site.place)


def test_full_size_has_the_papers_sites():
    """GOAL reads cross-attention at 16x16 on the way up: three layers (gligen.md, table 1.6)."""
    with torch.device("meta"):
        sites = UNet(UNetConfig(attention_type="gated")).sites(64, 64)
    assert len(sites) == 3 * 16
    names = [s.name for s in sites if where("cross", "up", (16, 16))(s)]
    assert names == [f"up_blocks.1.attentions.{i}.transformer_blocks.0.attn2" for i in range(3)]


@torch.no_grad()
def test_reading_does_not_change_the_output(tiny: UNet, batch: Batch):
    recorder = Recorder(where("cross"))
    torch.testing.assert_close(
        run(tiny, batch, attend=recorder), run(tiny, batch), atol=1e-5, rtol=0
    )
    assert [s.kind for s in recorder.maps] == ["cross"] * 6
    for site, probs in recorder.maps.items():
        assert probs.shape == (3, 4, site.height * site.width, 7)
        torch.testing.assert_close(probs.sum(-1), torch.ones(probs.shape[:-1]))


@torch.no_grad()
def test_mean_of_maps(tiny: UNet, batch: Batch):
    recorder = Recorder(where())
    run(tiny, batch, attend=recorder)
    mean = recorder.maps.mean("cross", size=(8, 8))
    assert mean.shape == (3, 8, 8, 7)
    raw = [m for s, m in recorder.maps.items() if where("cross", size=(8, 8))(s)]
    torch.testing.assert_close(mean, torch.stack(raw).mean((0, 2)).view(3, 8, 8, 7))
    assert [m.shape[-1] for m in recorder.maps.each("gated", "mid")] == [16 + 30]
    for wrong in ({"kind": "cross"}, {"size": (5, 5)}):
        with pytest.raises(SituError, match=r"^maps"):
            recorder.maps.mean(**wrong)  # pyright: ignore


@torch.no_grad()
def test_editing_replaces_the_probabilities(tiny: UNet, batch: Batch):
    """An edit that gives the usual probabilities changes nothing; one token only, a lot."""

    def same(site: Site, q: Tensor, k: Tensor, step: object) -> Tensor | None:
        return logits(q, k).softmax(-1) if site.place == "mid" else None

    def first_token(site: Site, q: Tensor, k: Tensor, step: object) -> Tensor | None:
        if site.kind != "cross":
            return None
        return torch.zeros(*q.shape[:3], k.shape[2]).index_fill_(-1, torch.tensor([0]), 1)

    wanted = run(tiny, batch)
    torch.testing.assert_close(run(tiny, batch, attend=same), wanted, atol=1e-5, rtol=0)
    recorder = Recorder(where("cross"), edit=first_token)
    edited = run(tiny, batch, attend=recorder)
    assert (edited - wanted).abs().max() > 1e-3
    assert all(m[..., 0].min() == 1 for m in recorder.maps.values())
    batch.context = batch.context[:, :1]
    torch.testing.assert_close(edited, run(tiny, batch), atol=1e-5, rtol=0)


def test_attend_is_told_the_step(tiny: UNet, batch: Batch):
    step, seen = object(), []
    run(tiny, batch, attend=lambda site, q, k, step: seen.append(step), step=step)
    assert set(seen) == {step}


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("place", ["down", "mid", "up"])
@pytest.mark.parametrize("kind", ["self", "cross", "gated"])
def test_stopping_early_gives_the_same_maps_and_gradients(
    tiny: UNet, batch: Batch, kind: Any, place: Any, checkpointing: bool
):
    def gradient(stop: bool) -> tuple[Tensor, Tensor, bool]:
        z = batch.z.clone().requires_grad_()
        recorder = Recorder(where(kind, place))
        last = recorder.last(tiny.sites(8, 8)) if stop else None
        tokens = batch.grounding(tiny)
        out = tiny(z, batch.t, batch.context, tokens, attend=recorder, stop_after=last)
        assert (out is None) == stop
        maps = list(recorder.maps.values())
        loss = torch.stack([(m * torch.sin(m * 50)).sum() for m in maps]).sum()
        return torch.autograd.grad(loss, z)[0], maps[-1], out is None

    wanted, wanted_map, _ = gradient(stop=False)
    tiny.checkpointing = checkpointing
    found, found_map, _ = gradient(stop=True)
    tiny.checkpointing = False
    assert wanted.abs().max() > 0
    assert torch.equal(found_map, wanted_map)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_nothing_runs_after_the_stop(tiny: UNet, batch: Batch):
    calls = []
    hooks = [
        m.register_forward_hook(lambda m, *_: calls.append(m))
        for m in (*tiny.up_blocks, tiny.conv_out)
    ]
    last = Recorder(where(place="mid")).last(tiny.sites(8, 8))
    assert tiny(batch.z, batch.t, batch.context, stop_after=last) is None
    assert not calls
    for hook in hooks:
        hook.remove()


def test_checkpointing_gives_the_same_gradients(tiny: UNet, batch: Batch):
    def gradients() -> list[Tensor]:
        recorder = Recorder(where("cross"))
        loss = run(tiny, batch, attend=recorder).square().sum()
        loss = loss + recorder.maps.mean("cross", size=(8, 8)).square().sum()
        return list(torch.autograd.grad(loss, list(tiny.parameters())))

    wanted = gradients()
    tiny.checkpointing = True
    found = gradients()
    tiny.checkpointing = False
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_checkpointing_keeps_fewer_activations(tiny: UNet, batch: Batch):
    def kept() -> int:
        sizes: list[int] = []

        def pack(x: Tensor) -> Tensor:
            sizes.append(x.numel())
            return x

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            run(tiny, batch)
        return sum(sizes)

    everything = kept()
    tiny.checkpointing = True
    little = kept()
    tiny.checkpointing = False
    assert little < everything / 3


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("z", lambda b: {"z": b.z[:, :3]}),
        ("z", lambda b: {"z": b.z[0]}),
        ("t", lambda b: {"t": torch.tensor([1, 2])}),
        ("context", lambda b: {"context": b.context[..., :5]}),
        ("context", lambda b: {"context": b.context[:2]}),
        ("context", lambda b: {"context": Context(b.context, b.context[:, :3])}),
        ("grounding", lambda b: {"grounding": torch.zeros(3, 30, 7)}),
        ("gate", lambda b: {"gate": torch.ones(2), "grounding": torch.zeros(3, 30, D)}),
    ],
)
def test_wrong_shapes_are_named(
    tiny: UNet, batch: Batch, field: str, change: Callable[[Batch], dict[str, Any]]
):
    inputs: dict[str, Any] = {"z": batch.z, "t": batch.t, "context": batch.context}
    with pytest.raises(SituError, match=rf"^{field}: shape"):
        tiny(**{**inputs, **change(batch)})


def test_grounding_needs_gated_layers(batch: Batch):
    unet = UNet(UNetConfig.from_diffusers(PLAIN))
    with pytest.raises(SituError, match=r"^grounding"):
        unet(batch.z, batch.t, batch.context, grounding=torch.zeros(3, 30, D))


def test_stop_at_a_site_that_does_not_run(tiny: UNet, batch: Batch):
    gated = Recorder(where("gated")).last(tiny.sites(8, 8))
    assert gated is not None
    inputs = (batch.z, batch.t, batch.context)
    with pytest.raises(SituError, match=r"^stop_after"):
        tiny(*inputs, stop_after=gated)
    with pytest.raises(SituError, match=r"^stop_after"):
        tiny(*inputs, batch.grounding(tiny), gate=0.0, stop_after=gated)
    with pytest.raises(SituError, match=r"^stop_after"):
        tiny(*inputs, stop_after=replace(gated, name="nowhere", kind="self"))


def test_recorder_without_wanted_sites_has_no_last(tiny: UNet):
    assert Recorder(where(size=(64, 64))).last(tiny.sites(8, 8)) is None


def test_probabilities_are_fp32_and_finite_in_fp16():
    q = torch.full((1, 1, 2, 64), 60.0, dtype=torch.float16)
    probs = probabilities(q, q)
    assert probs.dtype == torch.float32
    torch.testing.assert_close(probs, torch.full((1, 1, 2, 2), 0.5))
