"""Files for ComfyUI: its loaders' rules, written down here by themselves, find all that they look for.

ComfyUI's GLIGEN loader groups names that hold `input_blocks.N.`, `middle_block.N.` or `output_blocks.N.` and
`.fuser.`, N below 20, and gives what follows `.fuser.` to one gated layer; the layers count in this order.
Its LoRA loader looks for `lora_unet_` + a layer's name with underscores + `.diff` or `.diff_b`.
"""

from pathlib import Path

import pytest
import torch
from diffusers.models.attention import GatedSelfAttentionDense
from safetensors.torch import load_file
from tiny_backbone import random_backbone
from torch import Tensor

from situ.cli.main import main
from situ.models import comfyui
from situ.models.attention import Context, Run
from situ.models.backbone import Backbone
from situ.models.comfyui import gligen_patch, lora, plain_unet, write_comfyui
from situ.models.folder import save_backbone
from situ.models.gligen_checkpoint import GLIGEN_SD14, original_unet_names, unet_from_original
from situ.models.transformer import GatedSelfAttention
from situ.models.unet import UNet
from situ.scene import SituError

Weights = dict[str, Tensor]
GATED = {
    f"{layer}.{kind}"
    for layer in ("linear", "attn.to_out.0", "ff.net.0.proj", "ff.net.2", "norm1", "norm2")
    for kind in ("weight", "bias")
} | {"attn.to_q.weight", "attn.to_k.weight", "attn.to_v.weight", "alpha_attn", "alpha_dense"}
POSITION = {f"linears.{i}.{kind}" for i in (0, 2, 4) for kind in ("weight", "bias")} | {
    "null_positive_feature",
    "null_position_feature",
}
SD14_WIDTHS = [320, 320, 640, 640, 1280, 1280, 1280, 1280, 1280, 1280, 640, 640, 640, 320, 320, 320]


def as_its_loader_reads(patch: Weights) -> list[Weights]:
    layers = []
    for part in ("input_blocks", "middle_block", "output_blocks"):
        for number in range(20):
            names = [n for n in patch if f"{part}.{number}." in n and ".fuser." in n]
            if names:
                layers.append({n.split(".fuser.")[1]: patch[n] for n in names})
    return layers


def sd14() -> Weights:
    with torch.device("meta"):
        return UNet(GLIGEN_SD14).state_dict()


def test_its_gligen_loader_finds_sixteen_whole_layers_and_the_position_network() -> None:
    patch = gligen_patch(sd14(), GLIGEN_SD14)
    layers = as_its_loader_reads(patch)
    assert [len(layer["norm1.weight"]) for layer in layers] == SD14_WIDTHS
    assert all(layer.keys() == GATED for layer in layers)
    assert all(layer["linear.weight"].shape[1] == 768 for layer in layers)  # read as: 8 heads
    rest = {n.removeprefix("position_net."): t for n, t in patch.items() if "fuser" not in n}
    assert rest.keys() == POSITION
    assert rest["linears.0.weight"].shape == (512, 768 + 64)  # both fixed in its PositionNet
    assert len(patch) == 16 * 17 + 8
    assert sum(t.numel() for t in patch.values()) == 208_018_272 + 1_083_968


def test_both_files_together_are_the_original_unet() -> None:
    state = sd14()
    patch, rest = gligen_patch(state, GLIGEN_SD14), plain_unet(state, GLIGEN_SD14)
    assert len(rest) == 686  # the tensors of SD 1.4's U-Net
    assert sum(t.numel() for t in rest.values()) == 859_520_964
    assert not patch.keys() & rest.keys()
    assert unet_from_original({**patch, **rest}, GLIGEN_SD14).keys() == state.keys()


def test_a_layer_read_so_computes_what_ours_does() -> None:
    """diffusers' layer stands for ComfyUI's: both took GLIGEN's names and formula."""
    torch.manual_seed(0)
    ours = GatedSelfAttention(32, 4, 16).eval()
    with torch.no_grad():
        ours.alpha_attn.fill_(0.4)
        ours.alpha_dense.fill_(-0.6)
    theirs = GatedSelfAttentionDense(32, 16, 4, 8).eval()
    theirs.load_state_dict(ours.state_dict())
    x, objects = torch.randn(2, 9, 32), torch.randn(2, 5, 16)
    assert ours.state_dict().keys() == GATED
    found = ours(x, objects, plain_run(), (3, 3))
    assert torch.allclose(found, theirs(x, objects), atol=1e-5)


def plain_run() -> Run:
    return Run(Context(torch.empty(0), torch.empty(0)))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Backbone:
    """A small network that the check lets through."""
    monkeypatch.setattr(comfyui, "_check_config", lambda name, config: None)
    return plain_positions(random_backbone())


def plain_positions(backbone: Backbone) -> Backbone:
    from dataclasses import replace

    torch.manual_seed(0)
    unet = UNet(replace(backbone.unet.config, position_channels=0))
    return replace(backbone, unet=unet)


def tuned(base: Backbone) -> Backbone:
    from copy import deepcopy
    from dataclasses import replace

    found = replace(base, unet=deepcopy(base.unet))
    with torch.no_grad():
        for name, parameter in found.unet.named_parameters():
            if any(part in name for part in (".fuser.", ".attn1.", ".attn2.")):
                parameter.add_(0.01 * torch.randn(parameter.shape))
    return found


def test_the_difference_has_the_names_of_its_lora_loader_and_adds_up(
    tiny: Backbone, tmp_path: Path
) -> None:
    after = tuned(tiny)
    paths = write_comfyui(after, tmp_path, torch.float32, tiny)
    assert [path.name for path in paths] == ["gligen.safetensors", "lora.safetensors"]
    difference = load_file(paths[1])
    before = plain_unet(tiny.unet.state_dict(), tiny.unet.config)
    wanted = plain_unet(after.unet.state_dict(), after.unet.config)
    used = set()
    for name, tensor in before.items():
        layer, kind = name.rsplit(".", 1)
        key = f"lora_unet_{layer.replace('.', '_')}.{'diff' if kind == 'weight' else 'diff_b'}"
        used |= {key} & difference.keys()
        assert torch.allclose(tensor + difference.get(key, 0), wanted[name], atol=1e-6), name
    assert used == difference.keys()
    assert all("_attn1_" in key or "_attn2_" in key for key in difference)


def test_files_hold_the_whole_model_in_the_precision_asked_for(
    tiny: Backbone, tmp_path: Path
) -> None:
    first, second = (load_file(path) for path in write_comfyui(tiny, tmp_path))
    state = tiny.unet.state_dict()
    back = unet_from_original({**first, **second}, tiny.unet.config)
    assert all(torch.equal(back[name], tensor.half()) for name, tensor in state.items())
    assert set(first) | set(second) == set(original_unet_names(tiny.unet.config).values())


def test_what_comfyui_cannot_load_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_backbone(random_backbone(), tmp_path / "tiny")
    out = str(tmp_path / "out")
    assert main(["export", str(tmp_path / "tiny"), out, "--format", "comfyui"]) == 2
    assert "not a GLIGEN of Stable Diffusion 1.x or 2.x" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "tiny"), out, "--format", "comfy"]) == 2
    assert "did you mean 'comfyui'" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "tiny"), out, "--base", "storybook"]) == 2
    assert "--base" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_another_kind_of_base_or_an_equal_one_is_refused(tiny: Backbone) -> None:
    state, config = tiny.unet.state_dict(), tiny.unet.config
    with pytest.raises(SituError, match="only gated layers differ from tiny"):
        lora(state, config, tiny)
    with pytest.raises(SituError, match="tiny is of another kind"):
        lora(state, config, random_backbone())


@pytest.mark.parametrize("settings", [{}, {"attention_head_dim": (8,) * 4}])
def test_sd14_passes_and_other_heads_do_not(settings: dict[str, object]) -> None:
    from dataclasses import replace

    comfyui._check_config("sd", replace(GLIGEN_SD14, **settings))  # type: ignore[arg-type]
    with pytest.raises(SituError, match="not a GLIGEN of Stable Diffusion"):
        comfyui._check_config("sd", replace(GLIGEN_SD14, attention_head_dim=16))
