"""The pipeline as a person calls it from Python."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_backbone import GUIDANCE, SIDE

import situ
from situ.app.pipeline import Pipeline
from situ.methods.gligen import gligen
from situ.methods.plan import Request, Sampling
from situ.scene import Box, Layout, Object, Scene, SituError

CAPTION = "a red fish to the left of a striped blue house"
PHRASES = ["red fish", "blue house"]
BOXES = [[0.05, 0.4, 0.45, 0.8], [0.5, 0.3, 0.95, 0.9]]
SCENE = Scene(
    CAPTION,
    Layout(tuple(Object(p, Box(*b)) for p, b in zip(PHRASES, BOXES, strict=True))),
    SIDE,
    SIDE,
)
FEW: dict[str, Any] = {"num_inference_steps": 4, "output_type": "latent"}


def draw(pipe: Pipeline, **more: Any) -> torch.Tensor:
    asked = {"phrases": PHRASES, "boxes": BOXES, "seed": 7, **FEW, **more}
    return pipe(CAPTION, **asked).images


def test_load_is_at_hand() -> None:
    assert situ.load is not None
    assert situ.Pipeline is Pipeline


def test_a_call_is_the_method_on_the_backbone(pipe: Pipeline) -> None:
    sampling = Sampling(steps=4, guidance=GUIDANCE)
    frames = list(gligen(pipe.backbone, Request((SCENE,), (7,), sampling)).run())
    assert torch.equal(draw(pipe), frames[-1].z)


def test_the_ways_to_say_a_scene_draw_the_same(pipe: Pipeline) -> None:
    first = draw(pipe)
    assert torch.equal(pipe(scene=SCENE, seed=7, **FEW).images, first)
    assert torch.equal(pipe(scenes=[SCENE], seed=[7], **FEW).images, first)
    theirs = {
        "gligen_phrases": PHRASES,
        "gligen_boxes": BOXES,
        "gligen_scheduled_sampling_beta": 1.0,
    }
    assert torch.equal(pipe(CAPTION, seed=7, **theirs, **FEW).images, first)
    lists: Any = {"phrases": [PHRASES], "boxes": [torch.tensor(BOXES, dtype=torch.float64)]}
    assert torch.equal(pipe([CAPTION], seed=7, **lists, **FEW).images, first)
    assert torch.equal(draw(pipe, boxes=np.array(BOXES)), first)
    assert torch.equal(draw(pipe, boxes=[Box(*box) for box in BOXES]), first)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"guidance_scale": 1.0},
        {"negative_prompt": "green trees"},
        {"boxes": [BOXES[1], BOXES[0]]},
        {"phrases": ["blue fish", "blue house"]},
        {"method": "base"},
        {"gate": (0.5, 0.0, 0.5)},
        {"gligen_scheduled_sampling_beta": 0.25},
        {"guidance_interval": (0.5, 1.0)},
        {"solver": "ddim"},
        {"solver": "dpm_solver_pp_2m"},
        {"solver": "ddim", "eta": 1.0},
        {"num_inference_steps": 5},
    ],
)
def test_every_setting_changes_the_picture(pipe: Pipeline, change: dict[str, Any]) -> None:
    assert not torch.equal(draw(pipe, **change), draw(pipe))


def test_beta_is_the_open_part_of_the_gate(pipe: Pipeline) -> None:
    assert torch.equal(
        draw(pipe, gligen_scheduled_sampling_beta=0.5), draw(pipe, gate=(0.5, 0, 0.5))
    )


def test_the_guidance_of_the_folder_is_the_default(pipe: Pipeline) -> None:
    assert pipe.guidance == GUIDANCE
    assert torch.equal(draw(pipe, guidance_scale=GUIDANCE), draw(pipe))


def test_output_types(pipe: Pipeline) -> None:
    pixels = draw(pipe, output_type="pt")
    assert pixels.shape == (1, 3, SIDE, SIDE)
    assert 0 <= pixels.min() < pixels.max() <= 1
    array = draw(pipe, output_type="np")
    assert isinstance(array, np.ndarray)
    assert np.array_equal(array, pixels.permute(0, 2, 3, 1).numpy())
    (picture,) = draw(pipe, output_type="pil")
    assert isinstance(picture, Image.Image)
    assert np.array_equal(np.asarray(picture), (array[0] * 255).round().astype(np.uint8))


def test_one_seed_for_each_picture(pipe: Pipeline) -> None:
    result = pipe([CAPTION, "a fish"], num_images_per_prompt=2, seed=3, **FEW)
    assert result.seeds == (3, 4, 5, 6)
    assert [scene.caption for scene in result.scenes] == [CAPTION] * 2 + ["a fish"] * 2
    assert torch.equal(pipe("a fish", seed=6, **FEW).images[0], result.images[3])
    listed = pipe([CAPTION, "a fish"], seed=[9, 6], **FEW)
    assert torch.equal(listed.images[1], result.images[3])


def test_without_a_seed_every_call_differs_and_says_how(pipe: Pipeline) -> None:
    first, second = pipe("a fish", **FEW), pipe("a fish", **FEW)
    assert first.seeds != second.seeds
    assert torch.equal(pipe("a fish", seed=first.seeds[0], **FEW).images, first.images)


def test_generators_draw_the_first_latents_as_in_diffusers(pipe: Pipeline) -> None:
    shape = (1, 4, SIDE // 8, SIDE // 8)
    z = torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in (1, 2)])
    made = [torch.Generator().manual_seed(s) for s in (1, 2)]
    from_list = pipe(["a fish", "a house"], generator=made, **FEW).images
    assert torch.equal(from_list, pipe(["a fish", "a house"], latents=z, seed=0, **FEW).images)
    one = torch.randn((2, *shape[1:]), generator=torch.Generator().manual_seed(5))
    from_one = pipe(["a fish"] * 2, generator=torch.Generator().manual_seed(5), **FEW).images
    assert torch.equal(from_one, pipe(["a fish"] * 2, latents=one, seed=0, **FEW).images)


def test_a_callback_sees_every_step(pipe: Pipeline) -> None:
    seen: list[tuple[int, int]] = []

    def watch(given: Pipeline, i: int, t: int, state: dict[str, Any]) -> dict[str, Any]:
        assert given is pipe
        assert set(state) == {"latents", "z0"}
        seen.append((i, t))
        return state

    watched = draw(
        pipe, callback_on_step_end=watch, callback_on_step_end_tensor_inputs=["latents", "z0"]
    )
    assert [i for i, _ in seen] == [0, 1, 2, 3]
    assert [t for _, t in seen] == [751, 501, 251, 1]
    assert torch.equal(watched, draw(pipe))


@pytest.mark.parametrize("solver", ["plms", "ddim", "dpm_solver_pp_2m"])
def test_a_callback_that_gives_latents_back_unchanged_changes_nothing(
    pipe: Pipeline, solver: str
) -> None:
    kept = draw(pipe, solver=solver, callback_on_step_end=lambda p, i, t, state: state)
    assert torch.equal(kept, draw(pipe, solver=solver))


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("in_place", [False, True])
def test_a_callback_may_replace_the_latents(pipe: Pipeline, step: int, in_place: bool) -> None:
    def halve(given: Pipeline, i: int, t: int, state: dict[str, Any]) -> dict[str, Any]:
        if i != step:
            return {}
        z = state["latents"]
        return {"latents": z.mul_(0.5) if in_place else z * 0.5}

    pair: Any = {"phrases": [PHRASES] * 2, "boxes": [BOXES] * 2, "seed": [7, 7], **FEW}
    halved = pipe([CAPTION] * 2, callback_on_step_end=halve, **pair).images
    plain = draw(pipe)
    assert torch.equal(halved[0], halved[1])
    assert not torch.equal(halved[:1], plain)
    if step == 3:  # after the last step: the picture itself
        assert torch.equal(halved[:1], plain * 0.5)


def test_interrupting_gives_what_was_seen_by_then(pipe: Pipeline) -> None:
    steps: list[int] = []

    def stop(given: Pipeline, i: int, t: int, state: dict[str, Any]) -> None:
        steps.append(i)
        if i == 1:
            given.interrupt()

    seen = draw(pipe, callback_on_step_end=stop)
    assert steps == [0, 1]
    frames = list(pipe.frames(scene=SCENE, seed=7, num_inference_steps=4))
    assert torch.equal(seen, frames[1].z0)
    assert torch.equal(draw(pipe), frames[-1].z)  # the next call is whole again


def test_frames_are_the_steps_of_a_call(pipe: Pipeline) -> None:
    frames = list(pipe.frames(CAPTION, phrases=PHRASES, boxes=BOXES, seed=7, num_inference_steps=4))
    assert [frame.step.i for frame in frames] == [0, 1, 2, 3]
    assert torch.equal(frames[-1].z, draw(pipe))
    assert len(pipe.pictures(frames[0].z0)) == 1


def test_saved_and_loaded_again_it_draws_the_same(pipe: Pipeline, tmp_path: Path) -> None:
    pipe.save_pretrained(tmp_path / "copy", "float32")
    again = Pipeline.from_pretrained(tmp_path / "copy")
    assert torch.equal(draw(again), draw(pipe))
    assert again.guidance == GUIDANCE
    assert again.source == {**pipe.source, "name": "copy"}


def test_saved_into_its_own_folder_it_stays_whole(pipe: Pipeline, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    pipe.save_pretrained(folder, "float32")
    (folder / "notes.txt").write_text("mine")
    before = sorted(folder.rglob("*"))
    again = Pipeline.from_pretrained(folder)
    again.save_pretrained(folder, "float16")
    assert sorted(folder.rglob("*")) == before
    assert torch.equal(draw(again), draw(pipe))  # nothing was written into what it has in memory
    half = Pipeline.from_pretrained(folder)
    assert 0 < (draw(half) - draw(pipe)).abs().mean() < 0.1
    half.save_pretrained(folder, "float32")
    assert torch.equal(draw(Pipeline.from_pretrained(folder)), draw(half))


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_cannot_be_saved_whole_changes_nothing(
    pipe: Pipeline, tmp_path: Path, problem: BaseException
) -> None:
    folder = tmp_path / "copy"
    pipe.save_pretrained(folder, "float32")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    text = SimpleNamespace(model=pipe.backbone.text.model, tokenizer=Mock())
    text.tokenizer.save_pretrained.side_effect = problem  # the U-Net is written by then
    broken = Pipeline(replace(pipe.backbone, text=cast(Any, text)))
    wanted = SituError if isinstance(problem, OSError) else KeyboardInterrupt
    for place in (folder, tmp_path / "new"):
        with pytest.raises(wanted, match="No space left" if wanted is SituError else None):
            broken.save_pretrained(place, "float16")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "new").exists()


def test_the_folder_of_a_difference_is_not_written_over(pipe: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "difference.safetensors").touch()
    with pytest.raises(SituError, match=r"holds a difference\.safetensors; give another folder"):
        pipe.save_pretrained(tmp_path)


def test_half_precision_is_close(tiny_folder: Path, pipe: Pipeline) -> None:
    half = situ.load(tiny_folder, dtype="bfloat16")
    assert half.dtype == torch.bfloat16
    assert half.source["dtype"] == "bfloat16"
    difference = (draw(half).float() - draw(pipe)).abs().mean()
    assert 0 < difference < 0.1


def test_a_model_without_an_opinion_on_guidance_has_7_5(tiny_folder: Path, tmp_path: Path) -> None:
    pipe = Pipeline.from_pretrained(tiny_folder)
    pipe.save_pretrained(tmp_path / "copy")
    index = tmp_path / "copy/model_index.json"
    content = json.loads(index.read_text())
    del content["_situ_guidance"]
    index.write_text(json.dumps(content))
    assert Pipeline.from_pretrained(tmp_path / "copy").guidance == 7.5


def test_a_canvas_of_another_shape(pipe: Pipeline) -> None:
    result = pipe("a fish", width=96, height=32, seed=0, num_inference_steps=2)
    assert result.images[0].size == (96, 32)


def test_the_text_only_base_needs_no_gated_layers(ungated_folder: Path) -> None:
    base = situ.load(ungated_folder)
    assert base("a fish", method="base", seed=0, **FEW).images.shape == (1, 4, 8, 8)
    with pytest.raises(SituError, match="no gated layers.*--method base"):
        base("a fish", seed=0, **FEW)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "prompt: give a prompt"),
        ({"prompt": "a", "scene": SCENE}, "not both"),
        ({"scene": SCENE, "phrases": ["a"], "boxes": [BOXES[0]]}, "a scene has its own"),
        ({"scenes": []}, "scenes: the list is empty"),
        ({"scenes": ["a fish"]}, r"scenes\[0\] must be a situ.Scene"),
        ({"prompt": ""}, "caption is empty"),
        ({"prompt": []}, "prompt: the list is empty"),
        ({"prompt": "a", "phrases": ["b"]}, "boxes: 1 phrases but 0 boxes"),
        (
            {"prompt": ["a", "b"], "phrases": ["c", "d"], "boxes": BOXES},
            "one list of phrases for each",
        ),
        ({"prompt": "a", "phrases": ["b"], "boxes": [[0, 0, 2, 1]]}, r"boxes\[0\].*outside 0..1"),
        ({"prompt": "a", "phrases": ["b"], "boxes": [[0.5, 0.5, 0.2, 0.2]]}, "corners"),
        ({"prompt": "a", "phrases": ["b"], "boxes": [[0, 0, 1, float("nan")]]}, "finite"),
        ({"prompt": "a", "phrases": [" "], "boxes": [BOXES[0]]}, "phrase is empty"),
        ({"prompt": "a", "phrases": ["b"] * 31, "boxes": [BOXES[0]] * 31}, "at most 30 objects"),
        ({"prompt": "a", "seed": [1, 2]}, "2 seeds for 1 pictures"),
        ({"prompt": "a", "seed": -1}, "seed: -1"),
        ({"prompt": "a", "seed": 2**32}, "seed: 4294967296"),
        ({"prompt": "a", "seed": 1, "generator": torch.Generator()}, "a seed or a generator"),
        ({"prompt": "a", "generator": [torch.Generator()] * 2}, "generator: 2 for 1 pictures"),
        ({"prompt": "a", "latents": torch.zeros(1, 4, 4, 4)}, r"latents: shape \(1, 4, 4, 4\)"),
        ({"prompt": "a", "num_images_per_prompt": 0}, "num_images_per_prompt"),
        ({"prompt": "a", "negative_prompt": ["b"]}, "negative_prompt: give one text"),
        ({"prompt": "a", "method": "gligan"}, "method: 'gligan' is unknown: did you mean 'gligen'"),
        ({"prompt": "a", "output_type": "jpeg"}, "output_type: 'jpeg'"),
        ({"prompt": "a", "callback_on_step_end_tensor_inputs": ["x"]}, "tensor_inputs: 'x'"),
        ({"prompt": "a", "solver": "euler"}, "solver: 'euler' is unknown"),
        ({"prompt": "a", "num_inference_steps": 0}, "steps: 0"),
        ({"prompt": "a", "num_inference_steps": 1001}, "steps: 1001"),
        ({"prompt": "a", "gate": (1, 1, 1)}, "gate:"),
        ({"prompt": "a", "gate": (1, 0, 0), "gligen_scheduled_sampling_beta": 1}, "gate: it says"),
        ({"prompt": "a", "guidance_interval": (1, 0)}, "interval:"),
        ({"prompt": "a", "eta": 0.5}, "eta: 0.5 needs the solver 'ddim'"),
        ({"prompt": "a", "width": 100}, "width: 100 px cannot be drawn"),
        ({"prompt": "a", "phrases": ["b"], "gligen_phrases": ["b"]}, "mean the same"),
    ],
)
def test_mistakes_are_told_in_one_line(
    pipe: Pipeline, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(SituError, match=message) as caught:
        pipe(**{"seed": 0 if "generator" not in arguments else None, **FEW, **arguments})
    assert "\n" not in str(caught.value)


def test_an_unknown_argument_is_a_type_error_with_a_guess(pipe: Pipeline) -> None:
    with pytest.raises(TypeError, match="'sede'.*did you mean 'seed'"):
        pipe("a fish", sede=3)
