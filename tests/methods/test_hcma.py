"""HCMA on a random backbone: off is GLIGEN, the descent descends, and nothing breaks it."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from tiny_backbone import random_backbone

from situ.app.run import Run
from situ.diffusion.energy import Descent, through
from situ.diffusion.sampler import Frame
from situ.diffusion.schedule import Step
from situ.methods.gligen import gligen
from situ.methods.hcma import Hcma, Misfit, alignment, hcma
from situ.methods.options import Value, read_options
from situ.methods.plan import Request, Sampling
from situ.models.aligner import Aligner, AlignerConfig, Spaces, save_aligner
from situ.models.backbone import Backbone
from situ.scene import Box, Layout, Object, Scene, SituError

SIDE = 64
TWO = Layout(
    (
        Object("red fish", Box(0.05, 0.4, 0.45, 0.8)),
        Object("blue house", Box(0.5, 0.3, 0.95, 0.9)),
    )
)
ONE = Layout((Object("two dotted trees", Box(0.1, 0.6, 0.9, 0.95)),))
SPECK = Layout((Object("red fish", Box(0.4, 0.4, 0.43, 0.42)), *ONE))  # a cell is 0.25 wide
CROWD = Layout(
    tuple(Object(f"fish {k}", Box(0.01 * k, 0.1, 0.01 * k + 0.5, 0.7)) for k in range(30))
)
CAPTION = "a red fish to the left of a blue house"


def scene(layout: Layout = TWO, caption: str = CAPTION) -> Scene:
    return Scene(caption, layout, SIDE, SIDE)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    made = random_backbone()
    torch.manual_seed(3)
    config = AlignerConfig(channels=4, patch=2, width=32, blocks=2, heads=2, text_width=32)
    path = tmp_path_factory.mktemp("aligner") / "aligner.safetensors"
    save_aligner(path, Aligner(config), Spaces.of(made), torch.float32)
    return replace(made, aligner=path)


def request(*scenes: Scene, **options: Value) -> Request:
    sampling = Sampling(
        steps=4,
        guidance=3.0,
        options={"align_stride": 1, "align_between": (-20.0, 20.0), **options},
    )
    return Request(scenes, tuple(range(len(scenes))), sampling)


def frames(backbone: Backbone, *scenes: Scene, **options: Value) -> list[Frame]:
    return list(hcma(backbone, request(*scenes, **options)).run())


def energy_of(backbone: Backbone, *scenes: Scene, **options: Value) -> Misfit:
    guide = alignment(backbone, scenes, read_options(Hcma, options))
    assert isinstance(guide, Descent)
    assert isinstance(guide.energy, Misfit)
    return guide.energy


def a_step(backbone: Backbone) -> Step:
    return backbone.schedule.steps(4)[1]


@pytest.mark.parametrize("solver", ["plms", "ddim", "dpm_solver_pp_2m"])
@pytest.mark.parametrize(
    "options",
    [
        {"align_global": False, "align_local": False},
        {"lambda_global": 0.0, "align_local": False},
        {"align_size": 0.0},
    ],
)
def test_with_both_modules_off_it_is_gligen_bit_for_bit(
    backbone: Backbone, options: dict[str, Value], solver: str
) -> None:
    """And no aligner is needed for it."""
    sampling = Sampling(steps=4, guidance=3.0, solver=solver, gate=(0.5, 0.25, 0.25))
    plain = Request((scene(), scene(ONE)), (1, 2), sampling)
    off = replace(plain, sampling=replace(sampling, options=options))
    ours = list(hcma(replace(backbone, aligner=None), off).run())
    for mine, theirs in zip(ours, gligen(backbone, plain).run(), strict=True):
        assert torch.equal(mine.z, theirs.z)
        assert torch.equal(mine.z0, theirs.z0)
        assert mine.report == {}


def test_each_module_moves_the_picture_in_its_own_way(backbone: Backbone) -> None:
    base = frames(backbone, scene(), align_global=False, align_local=False)[-1].z
    ends = [
        frames(backbone, scene(), align_global=a, align_local=b)[-1].z
        for a, b in ((True, False), (False, True), (True, True))
    ]
    everything = [base, *ends]
    for i, one in enumerate(everything):
        assert not any(torch.equal(one, other) for other in everything[i + 1 :])


def test_the_gradient_equals_finite_differences_in_double_precision(backbone: Backbone) -> None:
    energy, step = energy_of(backbone, scene(), lambda_global=0.7, lambda_local=1.6), None
    energy = replace(energy, aligner=energy.aligner.double())
    try:
        step = a_step(backbone)
        z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)).double()

        def value(z: torch.Tensor) -> torch.Tensor:
            return energy(through(None, energy, z, step), step)[0]

        guide = Descent(energy, size=1.0)
        found = z - guide(z, step)
        for k in range(0, z.numel(), 17):
            nudge = torch.zeros_like(z)
            nudge.view(-1)[k] = 1e-5
            numeric = (value(z + nudge) - value(z - nudge)).item() / 2e-5
            assert found.flatten()[k].item() == pytest.approx(numeric, rel=1e-5, abs=1e-9)
    finally:
        energy.aligner.float()


def test_it_is_lambda_1_times_caption_plus_lambda_2_times_boxes(backbone: Backbone) -> None:
    step, z = a_step(backbone), torch.randn(2, 4, 8, 8)
    scenes = scene(), scene(ONE)

    def loss(**options: Value) -> torch.Tensor:
        energy = energy_of(backbone, *scenes, **options)
        return energy(through(None, energy, z, step), step)[0]

    whole, boxes = loss(align_local=False), loss(align_global=False)
    torch.testing.assert_close(loss(lambda_global=0.3, lambda_local=2.0), 0.3 * whole + 2 * boxes)


@pytest.mark.parametrize("form", ["raw", "trust", "share"])
def test_a_small_step_lowers_the_energy_of_every_sample(backbone: Backbone, form: str) -> None:
    scenes = scene(), scene(ONE), scene(CROWD), scene(Layout()), scene(SPECK)
    step = a_step(backbone)
    guide = alignment(
        backbone,
        scenes,
        Hcma(align_stride=1, align_between=(-20.0, 20.0), align_form=form, align_size=1e-3),
    )
    assert isinstance(guide, Descent)
    z = torch.randn(5, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    before, after = (
        guide.energy(through(None, guide.energy, x, step), step)[0] for x in (z, guide(z, step))
    )
    assert (after < before).all()


def test_more_moves_per_step_lower_it_further(backbone: Backbone) -> None:
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    left = []
    for iters in (1, 4):
        guide = alignment(
            backbone,
            [scene()],
            Hcma(align_stride=1, align_between=(-20.0, 20.0), align_iters=iters, align_size=5e-3),
        )
        assert isinstance(guide, Descent)
        moved, step = guide(z, a_step(backbone)), a_step(backbone)
        left.append(guide.energy(through(None, guide.energy, moved, step), step)[0])
        assert guide.report["align/moves"].tolist() == [iters]
    assert left[1] < left[0]


def test_a_batch_equals_single_pictures(backbone: Backbone) -> None:
    """Layouts of different sizes, none at all among them."""
    scenes = scene(), scene(Layout()), scene(CROWD)
    drawn = hcma(backbone, request(*scenes)).run()
    *_, together = drawn
    for k, one in enumerate(scenes):
        alone = Request((one,), (k,), request(one).sampling)
        *_, single = hcma(backbone, alone).run()
        torch.testing.assert_close(single.z[0], together.z[k], atol=2e-4, rtol=1e-3)
        for name, row in single.report.items():
            torch.testing.assert_close(
                row[0], together.report[name][k], atol=2e-4, rtol=1e-2, equal_nan=True
            )


def test_exact_runs_are_equal_bit_for_bit_and_their_reports_fit_together(
    backbone: Backbone,
) -> None:
    scenes = scene(), scene(Layout()), scene(CROWD)
    run = Run(backbone, hcma, request(*scenes))
    *_, last = run
    *_, alone = Run(backbone, hcma, Request(scenes[2:], (2,), request(*scenes).sampling))
    assert torch.equal(last.z[2:], alone.z)
    assert last.report["align/boxes"].shape == (3, 30)


def test_the_aligned_latent_is_what_the_solver_starts_from(backbone: Backbone) -> None:
    """H13: moved before the network looks, once a step, and kept in what the step goes on from."""
    plan = hcma(backbone, request(scene(), align_size=0.1))
    seen: list[torch.Tensor] = []

    def denoise(z: torch.Tensor, step: Step) -> torch.Tensor:
        seen.append(z.clone())
        return torch.zeros_like(z)

    still = replace(plan, denoise=denoise)
    z, step = plan.z, plan.steps[0]
    moved = alignment(
        backbone, [scene()], Hcma(align_stride=1, align_between=(-20.0, 20.0), align_size=0.1)
    )(z, step)
    first = next(iter(still.run()))
    assert torch.equal(seen[0], moved)
    torch.testing.assert_close(first.z, moved * (step.abar_next / step.abar) ** 0.5)


def reports(backbone: Backbone, *scenes: Scene, **options: Value) -> Iterator[dict]:
    return (dict(frame.report) for frame in frames(backbone, *scenes, **options))


def test_every_step_tells_what_it_saw(backbone: Backbone) -> None:
    share = {"align_form": "share", "align_size": 0.02 * 4 / 50}
    for report in reports(backbone, scene(), scene(Layout()), **share):
        boxes = report["align/boxes"]
        assert boxes.shape == (2, 30)
        assert boxes[0, :2].isfinite().all()
        assert boxes[0, 2:].isnan().all()
        assert boxes[1].isnan().all()
        torch.testing.assert_close(report["align/local"][0], boxes[0, :2].mean())
        assert report["align/local"][1] == 0
        torch.testing.assert_close(
            report["align/loss"], report["align/global"] + report["align/local"]
        )
        assert (report["align/slope"] > 0).all()
        assert not report["align/stopped"].any()
        torch.testing.assert_close(report["align/share"], torch.full((2,), 0.02))


@pytest.mark.parametrize(("steps", "stride"), [(4, 1), (9, 1), (10, 2), (15, 3), (50, 3)])
def test_short_runs_align_more_often_and_all_move_as_far_in_sum(
    backbone: Backbone, steps: int, stride: int
) -> None:
    run, options = backbone.schedule.steps(steps), Hcma(align_between=(-20.0, 20.0))
    assert [step.i for step in run if options.when(step)] == list(range(0, steps, stride))
    assert options.size(run[0]) * steps / stride == pytest.approx(6.0 * 50)


def test_stride_interval_and_fade(backbone: Backbone) -> None:
    steps = backbone.schedule.steps(4)
    told = [
        bool(r) for r in reports(backbone, scene(), align_stride=2, align_between=(-20.0, 20.0))
    ]
    assert told == [True, False, True, False]
    levels = [torch.tensor(s.abar).double().logit().item() for s in steps]
    between = (levels[1] - 0.1, levels[2] + 0.1)
    told = [bool(r) for r in reports(backbone, scene(), align_between=between)]
    assert told == [False, True, True, False]
    share = {"align_form": "share", "align_size": 0.02 * 4 / 50}
    faded = list(reports(backbone, scene(), align_fade=2.0, **share))
    for report, step in zip(faded, steps, strict=True):
        assert report["align/share"].item() == pytest.approx(0.02 * (1 - step.abar), rel=1e-3)


@pytest.mark.parametrize("stride", [1, 2])
def test_the_moves_of_a_run_add_up_to_the_same_for_any_number_of_steps(
    backbone: Backbone, stride: int
) -> None:
    options = Hcma(align_size=6.0, align_stride=stride, align_between=(-20.0, 20.0))
    for n in (50, 20, 6):
        steps = backbone.schedule.steps(n)
        total = sum(options.size(step) for step in steps if options.when(step))
        assert total == pytest.approx(300, rel=0.1 if n == 6 else 1e-6)


def test_a_trust_region_takes_the_raw_step_where_it_is_short(backbone: Backbone) -> None:
    z, step = torch.randn(1, 4, 8, 8), a_step(backbone)
    raw, trust, bound = (
        alignment(
            backbone,
            [scene()],
            Hcma(
                align_stride=1,
                align_between=(-20.0, 20.0),
                align_form=form,
                align_size=size,
                align_cap=0.0024,
            ),
        )
        for form, size in (("raw", 1e-2), ("trust", 1e-2), ("trust", 1e6))
    )
    torch.testing.assert_close(raw(z, step), trust(z, step))
    moved = bound(z, step) - z
    share = moved.square().mean().sqrt() / z.square().mean().sqrt()
    assert share.item() == pytest.approx(0.03, rel=1e-4)


def test_the_box_in_need_gets_the_weight(backbone: Backbone) -> None:
    step, z = a_step(backbone), torch.randn(1, 4, 8, 8)
    even, needy = (
        energy_of(backbone, scene(), align_global=False, align_need=power) for power in (0.0, 4.0)
    )
    plain, weighed = (e(through(None, e, z, step), step)[0] for e in (even, needy))
    boxes = even.report["boxes"][0, :2]
    weights = boxes**4 / (boxes**4).mean()
    torch.testing.assert_close(plain[0], boxes.mean())
    torch.testing.assert_close(weighed[0], (weights * boxes).mean())


@pytest.mark.filterwarnings("ignore:.* are read")
@pytest.mark.parametrize(
    "odd",
    [
        scene(Layout()),
        scene(SPECK),
        scene(CROWD),
        scene(TWO, " ".join([CAPTION] * 12)),
        scene(Layout((Object("a " * 140 + "fish", Box(0.1, 0.1, 0.9, 0.9)),))),
    ],
    ids=["no boxes", "a speck", "thirty boxes", "a long caption", "a long phrase"],
)
def test_odd_scenes_give_finite_pictures(backbone: Backbone, odd: Scene) -> None:
    for frame in frames(backbone, odd):
        assert frame.z.isfinite().all()
        assert not frame.report["align/stopped"].any()


def test_a_step_that_explodes_is_refused_and_the_picture_is_gligen_s(backbone: Backbone) -> None:
    plain = list(gligen(backbone, request(scene())).run())
    for mine, theirs in zip(
        frames(backbone, scene(), align_form="raw", align_size=1e9), plain, strict=True
    ):
        assert torch.equal(mine.z, theirs.z)
        assert mine.report["align/stopped"].tolist() == [True]
        assert mine.report["align/moves"].tolist() == [0]


def test_a_picture_that_strays_is_stopped_and_its_neighbour_is_not(backbone: Backbone) -> None:
    guide = alignment(
        backbone,
        [scene(), scene()],
        Hcma(align_stride=1, align_between=(-20.0, 20.0), align_size=0.1),
    )
    assert isinstance(guide, Descent)
    z = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    z[0] *= 3.2
    first, *later = backbone.schedule.steps(4)
    moved = guide(z, first)
    assert torch.equal(moved[0], z[0])
    assert guide.report["align/stopped"].tolist() == [True, False]
    calm = moved / torch.tensor([3.2, 1.0]).reshape(2, 1, 1, 1)
    moved = guide(calm, later[0])
    assert torch.equal(moved[0], calm[0])  # for the rest of the run
    assert not torch.equal(moved[1], calm[1])
    assert guide(calm, first)[0].ne(calm[0]).any()  # and not for the next one


@pytest.mark.parametrize("broken", [torch.nan, torch.inf])
def test_weights_that_are_not_numbers_stop_it(
    tmp_path: Path, backbone: Backbone, broken: float
) -> None:
    torch.manual_seed(3)
    aligner = Aligner(AlignerConfig(4, 2, 32, 1, 2, 32))
    aligner.to_caption[0].weight.data[0, 0] = broken
    save_aligner(tmp_path / "a.safetensors", aligner, Spaces.of(backbone))
    drawn = frames(replace(backbone, aligner=tmp_path / "a.safetensors"), scene())
    plain = list(gligen(backbone, request(scene())).run())
    assert torch.equal(drawn[-1].z, plain[-1].z)
    assert drawn[-1].report["align/stopped"].all()


def test_a_latent_that_is_not_a_number_is_left_alone(backbone: Backbone) -> None:
    guide = alignment(
        backbone, [scene(), scene()], Hcma(align_stride=1, align_between=(-20.0, 20.0))
    )
    assert isinstance(guide, Descent)
    z = torch.randn(2, 4, 8, 8)
    z[1, 0, 0, 0] = torch.nan
    moved = guide(z, a_step(backbone))
    assert moved[0].isfinite().all()
    assert not torch.equal(moved[0], z[0])
    assert guide.report["align/stopped"].tolist() == [False, True]


def test_it_goes_with_the_text_only_base_too(backbone: Backbone) -> None:
    """The guide needs no U-Net: one aligner for every denoiser of the same latents."""
    from situ.methods.base import base

    plan = base(backbone, request(scene()))
    guide = alignment(backbone, [scene()], Hcma())
    *_, aligned = replace(plan, guide=guide).run()
    *_, plain = plan.run()
    assert not torch.equal(aligned.z, plain.z)


def test_a_record_s_aligner_must_be_the_one_at_hand(backbone: Backbone) -> None:
    settled = Hcma().settled(backbone)
    assert len(settled.aligner) == 16
    frames(backbone, scene(), **asdict(settled))
    with pytest.raises(
        SituError, match=f"0123 is asked for, but that of tiny is {settled.aligner}"
    ):
        frames(backbone, scene(), aligner="0123")
    assert (
        Hcma(align_stride=1, align_between=(-20.0, 20.0), align_size=0.0)
        .settled(replace(backbone, aligner=None))
        .aligner
        == ""
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"align_form": "rms"}, "align_form: 'rms' is unknown: allowed: raw, trust, share"),
        ({"align_size": -1.0}, "align_size: -1.0 is negative"),
        ({"align_stride": -1}, "align_stride must be in 0..100000, got -1"),
        ({"align_iters": 1.5}, "align_iters must be a whole number"),
        ({"align_global": 2}, "align_global must be true or false, got 2"),
        ({"align_between": (3.0, 1.0)}, "align_between: 3.0 must not lie above 1.0"),
        ({"align_between": (3.0,)}, "align_between must be 2 numbers"),
        ({"lambda_local": float("nan")}, "lambda_local must be a finite number"),
        ({"align_sise": 1.0}, "unknown option 'align_sise': did you mean 'align_size'"),
    ],
)
def test_options_that_cannot_be(backbone: Backbone, options: dict, message: str) -> None:
    with pytest.raises(SituError, match=message):
        frames(backbone, scene(), **options)


def test_options_are_read_as_a_record_writes_them() -> None:
    assert read_options(Hcma, {"align_global": 0, "align_size": 1, "lambda_local": 2}) == Hcma(
        align_global=False, align_size=1.0, lambda_local=2.0
    )
