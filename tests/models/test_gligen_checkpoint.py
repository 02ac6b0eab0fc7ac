"""Names of GLIGEN's original checkpoints, and the conversion of a whole (tiny) file."""

import json
import os
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from situ.models.gligen_checkpoint import (
    GLIGEN_SD14,
    autoencoder_from_original,
    original_unet_names,
    text_encoder_from_original,
    unet_from_original,
    unet_to_original,
)
from situ.models.gligen_convert import convert, read_original
from situ.models.unet import UNet
from situ.models.unet_config import UNetConfig
from situ.scene.errors import SituError

TINY = UNetConfig(
    block_out_channels=(32, 64),
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    layers_per_block=1,
    cross_attention_dim=64,
    attention_type="gated",
)
Shapes = dict[str, tuple[int, ...]]


class Original:
    """The tensors of latent diffusion's U-Net with GLIGEN's layers, in the original's own terms.

    Written from the architecture, independently of the mapping under test.
    """

    def __init__(
        self, model: int, mult: tuple[int, ...], layers: int, attention: set[int], text: int
    ) -> None:
        self.shapes: Shapes = {}
        self.text, self.time = text, 4 * model
        self._linear("time_embed.0", model, self.time)
        self._linear("time_embed.2", self.time, self.time)
        self._conv("input_blocks.0.0", 4, model, 3)
        widths = self._down(model, mult, layers, attention)
        dim = model * mult[-1]
        self._residual("middle_block.0", dim, dim)
        self._transformer("middle_block.1", dim)
        self._residual("middle_block.2", dim, dim)
        self._up(model, mult, layers, attention, widths)
        self._norm("out.0", model)
        self._conv("out.2", model, 4, 3)
        self._position_net()

    def _down(
        self, model: int, mult: tuple[int, ...], layers: int, attention: set[int]
    ) -> list[int]:
        block, dim, widths = 1, model, [model]
        for level, factor in enumerate(mult):
            for _ in range(layers):
                self._residual(f"input_blocks.{block}.0", dim, model * factor)
                dim = model * factor
                if level in attention:
                    self._transformer(f"input_blocks.{block}.1", dim)
                widths.append(dim)
                block += 1
            if level < len(mult) - 1:
                self._conv(f"input_blocks.{block}.0.op", dim, dim, 3)
                widths.append(dim)
                block += 1
        return widths

    def _up(
        self,
        model: int,
        mult: tuple[int, ...],
        layers: int,
        attention: set[int],
        widths: list[int],
    ) -> None:
        block, dim = 0, model * mult[-1]
        for level in reversed(range(len(mult))):
            for layer in range(layers + 1):
                name = f"output_blocks.{block}"
                self._residual(f"{name}.0", dim + widths.pop(), model * mult[level])
                dim = model * mult[level]
                parts = 1
                if level in attention:
                    self._transformer(f"{name}.1", dim)
                    parts = 2
                if level and layer == layers:
                    self._conv(f"{name}.{parts}.conv", dim, dim, 3)
                block += 1

    def _residual(self, name: str, inputs: int, outputs: int) -> None:
        self._norm(f"{name}.in_layers.0", inputs)
        self._conv(f"{name}.in_layers.2", inputs, outputs, 3)
        self._linear(f"{name}.emb_layers.1", self.time, outputs)
        self._norm(f"{name}.out_layers.0", outputs)
        self._conv(f"{name}.out_layers.3", outputs, outputs, 3)
        if inputs != outputs:
            self._conv(f"{name}.skip_connection", inputs, outputs, 1)

    def _transformer(self, name: str, dim: int) -> None:
        self._norm(f"{name}.norm", dim)
        self._conv(f"{name}.proj_in", dim, dim, 1)
        self._conv(f"{name}.proj_out", dim, dim, 1)
        block = f"{name}.transformer_blocks.0"
        for norm in ("norm1", "norm2", "norm3", "fuser.norm1", "fuser.norm2"):
            self._norm(f"{block}.{norm}", dim)
        self._attention(f"{block}.attn1", dim, dim)
        self._attention(f"{block}.attn2", dim, self.text)
        self._attention(f"{block}.fuser.attn", dim, dim)
        for ff in ("ff", "fuser.ff"):
            self._linear(f"{block}.{ff}.net.0.proj", dim, 8 * dim)
            self._linear(f"{block}.{ff}.net.2", 4 * dim, dim)
        self._linear(f"{block}.fuser.linear", self.text, dim)
        self.shapes |= {f"{block}.fuser.alpha_attn": (), f"{block}.fuser.alpha_dense": ()}

    def _attention(self, name: str, dim: int, source: int) -> None:
        self.shapes[f"{name}.to_q.weight"] = (dim, dim)
        self.shapes[f"{name}.to_k.weight"] = (dim, source)
        self.shapes[f"{name}.to_v.weight"] = (dim, source)
        self._linear(f"{name}.to_out.0", dim, dim)

    def _position_net(self) -> None:
        self.shapes["position_net.null_positive_feature"] = (self.text,)
        self.shapes["position_net.null_position_feature"] = (64,)
        for i, (inputs, outputs) in enumerate(
            [(self.text + 64, 512), (512, 512), (512, self.text)]
        ):
            self._linear(f"position_net.linears.{2 * i}", inputs, outputs)

    def _norm(self, name: str, dim: int) -> None:
        self.shapes |= {f"{name}.weight": (dim,), f"{name}.bias": (dim,)}

    def _linear(self, name: str, inputs: int, outputs: int) -> None:
        self.shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}

    def _conv(self, name: str, inputs: int, outputs: int, size: int) -> None:
        self.shapes |= {f"{name}.weight": (outputs, inputs, size, size), f"{name}.bias": (outputs,)}


def shapes_of(tensors: dict[str, Tensor]) -> Shapes:
    return {name: tuple(t.shape) for name, t in tensors.items()}


def test_names_are_a_bijection_on_966_tensors_of_equal_shapes():
    with torch.device("meta"):
        ours = shapes_of(UNet(GLIGEN_SD14).state_dict())
        theirs = shapes_of(
            UNet2DConditionModel(cross_attention_dim=768, attention_type="gated").state_dict()
        )
    names = original_unet_names(GLIGEN_SD14)
    original = Original(320, (1, 2, 4, 4), 2, {0, 1, 2}, 768).shapes
    assert len(names) == len(set(names.values())) == len(original) == 966
    assert {names[name]: shape for name, shape in ours.items()} == original
    assert ours == theirs


@pytest.mark.parametrize(
    ("ours", "original"),
    [
        ("down_blocks.1.attentions.0.proj_in.weight", "input_blocks.4.1.proj_in.weight"),
        ("down_blocks.2.resnets.1.conv1.weight", "input_blocks.8.0.in_layers.2.weight"),
        ("down_blocks.3.resnets.0.norm2.bias", "input_blocks.10.0.out_layers.0.bias"),
        ("down_blocks.2.downsamplers.0.conv.weight", "input_blocks.9.0.op.weight"),
        ("up_blocks.0.upsamplers.0.conv.weight", "output_blocks.2.1.conv.weight"),
        ("up_blocks.1.upsamplers.0.conv.weight", "output_blocks.5.2.conv.weight"),
        (
            "up_blocks.1.attentions.2.transformer_blocks.0.fuser.alpha_attn",
            "output_blocks.5.1.transformer_blocks.0.fuser.alpha_attn",
        ),
        ("up_blocks.3.resnets.2.conv_shortcut.bias", "output_blocks.11.0.skip_connection.bias"),
        ("time_embedding.linear_2.weight", "time_embed.2.weight"),
    ],
)
def test_names_follow_the_published_table(ours: str, original: str):
    assert original_unet_names(GLIGEN_SD14)[ours] == original


def test_there_and_back():
    weights = UNet(TINY).state_dict()
    original = unet_to_original(weights, TINY)
    assert shapes_of(original) == Original(32, (1, 2), 1, {0}, 64).shapes
    back = unet_from_original(original, TINY)
    assert back.keys() == weights.keys()
    assert all(torch.equal(back[name], weights[name]) for name in weights)


def test_missing_and_unknown_tensors_are_named():
    original = unet_to_original(UNet(TINY).state_dict(), TINY)
    gone = original.pop("out.2.bias")
    with pytest.raises(SituError, match=r"model: lacks 1 tensor.*'out\.2\.bias'"):
        unet_from_original(original, TINY)
    with pytest.raises(SituError, match=r"model: has unknown 1 tensor.*'more'"):
        unet_from_original({**original, "out.2.bias": gone, "more": gone}, TINY)


def tiny_autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(32, 64, 64),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=2,
    )


def compvis_autoencoder(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names and shapes of latent diffusion's autoencoder, for three levels."""
    attention = {
        "group_norm": "norm",
        "to_q": "q",
        "to_k": "k",
        "to_v": "v",
        "to_out.0": "proj_out",
    }
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        name = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        name = name.replace("mid_block.resnets.0", "mid.block_1")
        name = name.replace("mid_block.resnets.1", "mid.block_2")
        if "mid_block.attentions.0." in name:
            head, tail = name.split("mid_block.attentions.0.")
            inner, kind = tail.rsplit(".", 1)
            name = f"{head}mid.attn_1.{attention[inner]}.{kind}"
            value = value[:, :, None, None] if value.ndim == 2 else value
        for i in range(3):
            name = name.replace(f"encoder.down_blocks.{i}.", f"encoder.down.{i}.")
            name = name.replace(f"decoder.up_blocks.{i}.", f"decoder.up.{2 - i}.")
        name = name.replace(".resnets.", ".block.")
        name = name.replace("downsamplers.0.conv", "downsample.conv")
        found[name.replace("upsamplers.0.conv", "upsample.conv")] = value
    return found


def test_autoencoder_names():
    weights = tiny_autoencoder().state_dict()
    original = compvis_autoencoder(weights)
    assert "decoder.up.2.block.0.norm1.weight" in original
    assert original["encoder.mid.attn_1.q.weight"].shape == (64, 64, 1, 1)
    original["loss.logvar"] = torch.zeros(())
    back = autoencoder_from_original(original)
    assert back.keys() == weights.keys()
    assert all(torch.equal(back[name], weights[name]) for name in weights)


def tiny_text_encoder() -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=99,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=1,
            projection_dim=64,
        )
    )


def original_text_encoder(model: CLIPTextModel) -> dict[str, Tensor]:
    bare = {name.removeprefix("text_model."): t for name, t in model.state_dict().items()}
    bare["embeddings.position_ids"] = torch.arange(77)[None]
    return {"transformer.text_model." + name: t for name, t in bare.items()}


def test_text_encoder_of_another_kind_is_refused():
    with pytest.raises(SituError, match=r"^text_encoder: tensor 'bert\.x'"):
        text_encoder_from_original({"bert.x": torch.zeros(1)})


class Parts:
    """The three tiny networks, and the file that the original would have written of them."""

    def __init__(self, folder: Path) -> None:
        torch.manual_seed(0)
        self.unet, self.vae, self.text = UNet(TINY), tiny_autoencoder(), tiny_text_encoder()
        self.content: dict[str, Any] = {
            "model": unet_to_original(self.unet.state_dict(), TINY),
            "autoencoder": compvis_autoencoder(self.vae.state_dict()),
            "text_encoder": original_text_encoder(self.text),
            "diffusion": {"betas": torch.zeros(3)},
            "iters": 500_000,
        }
        self.file = folder / "gligen.bin"
        self.tokenizer = folder / "some-sd" / "tokenizer"
        self.tokenizer.mkdir(parents=True)
        (self.tokenizer / "vocab.json").write_text("{}")
        (self.tokenizer / "merges.txt").write_text("")

    def save(self, **more: Any) -> Path:
        torch.save({**self.content, **more}, self.file)
        return self.file


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


@pytest.fixture
def omegaconf() -> Iterator[types.SimpleNamespace]:
    """Classes that pickle under OmegaConf's names, present only while the file is written."""

    class DictConfig(dict[str, Any]): ...

    class ContainerMetadata: ...

    holders = {"omegaconf.dictconfig": DictConfig, "omegaconf.base": ContainerMetadata}
    sys.modules["omegaconf"] = types.ModuleType("omegaconf")
    for module, kind in holders.items():
        kind.__module__, kind.__qualname__ = module, kind.__name__
        sys.modules[module] = types.ModuleType(module)
        setattr(sys.modules[module], kind.__name__, kind)
    yield types.SimpleNamespace(DictConfig=DictConfig, ContainerMetadata=ContainerMetadata)
    for module in ("omegaconf", *holders):
        sys.modules.pop(module, None)


def test_converts_a_whole_file(parts: Parts, tmp_path: Path):
    folder = convert(parts.save(), tmp_path / "out", parts.tokenizer, TINY)
    assert sorted(p.name for p in folder.iterdir()) == [
        "model_index.json",
        "scheduler",
        "text_encoder",
        "tokenizer",
        "unet",
        "vae",
    ]
    assert not list(tmp_path.glob("*.partial"))
    unet_folder = folder / "unet"
    config = UNetConfig.from_diffusers(json.loads((unet_folder / "config.json").read_text()))
    weights = load_file(unet_folder / "diffusion_pytorch_model.safetensors")
    assert config == TINY
    UNet(config).load_state_dict(weights, strict=True)
    assert all(torch.equal(weights[k], v) for k, v in parts.unet.state_dict().items())


@torch.no_grad()
def test_the_peers_read_the_converted_folder(parts: Parts, tmp_path: Path):
    folder = convert(parts.save(), tmp_path / "out", parts.tokenizer, TINY)
    z, t, text = torch.randn(1, 4, 8, 8), torch.tensor([7]), torch.randn(1, 5, 64)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    ours = parts.unet(z, t, text)
    assert ours is not None
    torch.testing.assert_close(unet(z, t, text).sample, ours, atol=1e-5, rtol=0)

    vae = AutoencoderKL.from_pretrained(folder / "vae")
    image = torch.randn(1, 3, 16, 16)
    torch.testing.assert_close(
        vae.encode(image).latent_dist.mode(), parts.vae.encode(image).latent_dist.mode()
    )
    torch.testing.assert_close(vae.decode(z).sample, parts.vae.decode(z).sample)
    assert vae.config["scaling_factor"] == 0.18215

    encoder, report = CLIPTextModel.from_pretrained(
        folder / "text_encoder", output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    tokens = torch.tensor([[0, 5, 7, 98]])
    torch.testing.assert_close(
        encoder(tokens).last_hidden_state, parts.text(tokens).last_hidden_state
    )
    scheduler = PNDMScheduler.from_pretrained(folder / "scheduler")
    scheduler.set_timesteps(50)
    assert scheduler.timesteps[:4].tolist() == [981, 961, 961, 941]


def test_omegaconf_settings_inside_the_file_are_passed_over(
    parts: Parts, omegaconf: types.SimpleNamespace
):
    settings = omegaconf.DictConfig()
    settings.__dict__.update(_metadata=omegaconf.ContainerMetadata(), _parent=None, _flags={})
    file = parts.save(config_dict={"model": settings, "any": Any})
    del sys.modules["omegaconf.dictconfig"], sys.modules["omegaconf.base"]
    found = read_original(file)
    assert found.keys() == {"model", "text_encoder", "autoencoder"}
    assert shapes_of(found["model"]) == shapes_of(parts.content["model"])


class Payload:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def test_no_code_of_the_file_runs(parts: Parts, tmp_path: Path):
    mark = tmp_path / "ran"
    file = parts.save(config_dict=Payload(f"touch {mark}"))
    with pytest.raises(SituError, match="neither a tensor nor a plain container") as caught:
        read_original(file)
    assert "system" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not mark.exists()


def test_what_is_no_checkpoint_is_said_in_one_line(tmp_path: Path):
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    for file in (text, tmp_path / "missing.bin"):
        with pytest.raises(SituError) as caught:
            read_original(file)
        assert "\n" not in str(caught.value)
    plain = tmp_path / "plain.bin"
    plain.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(SituError):
        read_original(plain)
    torch.save({"model": {}}, plain)
    with pytest.raises(SituError, match="lacks text_encoder, autoencoder"):
        read_original(plain)


def test_nothing_is_written_over_or_left_behind(parts: Parts, tmp_path: Path):
    (tmp_path / "there").mkdir()
    with pytest.raises(SituError, match=r"^folder"):
        convert(parts.save(), tmp_path / "there", parts.tokenizer, TINY)
    with pytest.raises(SituError, match=r"^tokenizer"):
        convert(parts.file, tmp_path / "out", tmp_path / "there", TINY)
    with pytest.raises(SituError, match=r"^model"):
        convert(parts.file, tmp_path / "out", parts.tokenizer)  # not SD-1.4
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob("*.partial"))


def test_inpainting_weights_keep_their_nine_channels(parts: Parts, tmp_path: Path):
    parts.content["model"]["input_blocks.0.0.weight"] = torch.zeros(32, 9, 3, 3)
    folder = convert(parts.save(), tmp_path / "out", parts.tokenizer, TINY)
    assert json.loads((folder / "unet" / "config.json").read_text())["in_channels"] == 9


def test_wrong_shapes_are_named(parts: Parts, tmp_path: Path):
    parts.content["model"]["out.2.bias"] = torch.zeros(5)
    with pytest.raises(SituError, match=r"^model: conv_out\.bias has shape \(5,\)"):
        convert(parts.save(), tmp_path / "out", parts.tokenizer, TINY)
