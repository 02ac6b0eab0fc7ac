"""What a box must not show: read from a text, a closed form, and a gradient that leads away from it."""

from dataclasses import replace

import pytest
import torch
from test_verifier import BARE, SCENE, TWO, a_step, backbone

from situ.app.run import Run
from situ.diffusion.energy import Descent, through
from situ.methods.avoidance import read_avoid, trespass, unwanted
from situ.methods.gligen import gligen
from situ.methods.hcma import Hcma, Misfit, alignment, hcma
from situ.methods.plan import Request, Sampling
from situ.models.backbone import Backbone
from situ.scene import Box, Layout, Object, SituError

__all__ = ["backbone"]

STRIPES = "striped red fish: 0.05 0.4 0.45 0.8"
KEEP_OUT = "anything: 0.5 0 1 0.25"


def descent(backbone: Backbone, **options: object) -> Descent:
    guide = alignment(
        backbone, [SCENE], Hcma(align_stride=1, align_between=(-20.0, 20.0), **options)
    )  # pyright: ignore[reportArgumentType]
    assert isinstance(guide, Descent)
    return guide


def test_a_text_is_objects_with_semicolons_between() -> None:
    read = read_avoid(f"{STRIPES}; {KEEP_OUT};")
    assert read.phrases == ("striped red fish", "anything")
    assert read.boxes == (Box(0.05, 0.4, 0.45, 0.8), Box(0.5, 0, 1, 0.25))
    assert read_avoid("") == Layout()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("striped", 'avoid: object .striped.: write "phrase: x0 y0 x1 y1"'),
        ("striped: 0 0 1", "avoid: object"),
        ("striped: 0.5 0 0.2 1", "avoid: object"),
    ],
)
def test_a_text_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(SituError, match=message):
        Hcma(avoid=text)


def test_anything_is_every_phrase_of_the_scene_once() -> None:
    twins = Layout((*TWO, TWO[0]))
    found = unwanted(read_avoid(f"{KEEP_OUT}; {STRIPES}"), twins)
    assert found.phrases == ("red fish", "blue house", "striped red fish")
    assert found.boxes[0] == found.boxes[1] == Box(0.5, 0, 1, 0.25)
    assert unwanted(read_avoid(KEEP_OUT), Layout()) == Layout()
    many = Layout(tuple(Object(f"fish {k}", Box(0, 0, 1, 1)) for k in range(16)))
    with pytest.raises(SituError, match="avoid: 32 phrases in boxes; at most 30"):
        unwanted(read_avoid(f"{KEEP_OUT}; {KEEP_OUT}"), many)


def test_trespass_is_the_cosine_above_the_margin() -> None:
    seen = torch.tensor([[[3.0, 0.0], [0.0, 2.0], [1.0, 1.0]]])
    texts = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]])
    masks = torch.tensor([[1.0, 1.0, 1.0]])
    found = trespass(seen, texts, masks, 0.25)
    torch.testing.assert_close(found, torch.tensor([0.75 + 0 + 0.5**0.5 - 0.25]))
    torch.testing.assert_close(trespass(seen, texts, 0 * masks, 0.25), torch.zeros(1))


def test_it_adds_to_the_energy_and_is_reported(backbone: Backbone) -> None:
    step, z = a_step(backbone), torch.randn(1, 4, 8, 8)
    energies = [
        descent(backbone, avoid=text, avoid_margin=-1.0, lambda_avoid=2.0).energy
        for text in ("", STRIPES)
    ]
    (plain, _), (more, _) = (energy(through(None, energy, z, step), step) for energy in energies)
    without, avoiding = (energy.report for energy in energies)  # pyright: ignore[reportAttributeAccessIssue]
    assert "avoid" not in without
    torch.testing.assert_close(more, plain + 2 * avoiding["avoid"])


def test_going_down_it_alone_leads_away_from_the_phrase(backbone: Backbone) -> None:
    """Also with both modules off, and by the finite differences of double precision."""
    off = {"align_global": False, "align_local": False}
    guide = descent(backbone, **off, avoid=STRIPES, avoid_margin=-1.0, align_form="raw")
    energy = guide.energy
    assert isinstance(energy, Misfit)
    step = a_step(backbone)
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)).double()
    energy.aligner.double()
    try:

        def value(z: torch.Tensor) -> torch.Tensor:
            return energy(through(None, energy, z, step), step)[0]

        slope = z - replace(guide, size=1.0, guard=None)(z, step)
        nudge = torch.randn(z.shape, generator=torch.Generator().manual_seed(2)).double()
        numeric = (value(z + 1e-5 * nudge) - value(z - 1e-5 * nudge)).item() / 2e-5
        assert (slope * nudge).sum().item() == pytest.approx(numeric, rel=1e-5)
        assert value(z - 1e-2 * slope).item() < value(z).item()
    finally:
        energy.aligner.float()


def test_nothing_to_avoid_and_no_size_are_gligen_bit_for_bit(backbone: Backbone) -> None:
    plain = Request((SCENE,), (1,), Sampling(steps=3))
    *_, expected = gligen(backbone, plain).run()
    off = {"align_global": False, "align_local": False}
    for options in (
        {**off, "avoid": ""},
        {**off, "avoid": STRIPES, "lambda_avoid": 0.0},
        {"avoid": STRIPES, "align_size": 0.0},
    ):
        sampling = replace(plain.sampling, options=options)
        *_, found = hcma(replace(backbone, aligner=None), replace(plain, sampling=sampling)).run()
        assert torch.equal(found.z, expected.z)


def test_exact_batches_equal_singles_bit_for_bit(backbone: Backbone) -> None:
    """A scene without objects, in which a keep-out box has nothing to keep out, among them."""
    sampling = Sampling(
        steps=3,
        options={
            "align_stride": 1,
            "align_between": (-20.0, 20.0),
            "avoid": f"{KEEP_OUT}; {STRIPES}",
            "avoid_margin": -1.0,
        },
    )
    scenes = SCENE, BARE
    *_, both = Run(backbone, hcma, Request(scenes, (4, 5), sampling))
    for k, scene in enumerate(scenes):
        *_, alone = Run(backbone, hcma, Request((scene,), (4 + k,), sampling))
        assert torch.equal(both.z[k : k + 1], alone.z)
    assert both.report["align/avoid"].shape == (2,)
