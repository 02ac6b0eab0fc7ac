"""What the linter remarks, and that it stays silent about a good scene."""

import pytest

from situ.scene import Box, Layout, Object, Scene
from situ.scene.linter import lint

FISH = Object("red fish", Box(0.05, 0.4, 0.45, 0.8))
REED = Object("reed", Box(0.5, 0, 0.75, 1))


def pond(*objects: Object, caption: str = "a red fish by a reed", width: int = 512) -> Scene:
    return Scene(caption, Layout(objects), width=width)


def words(text: str) -> int:
    return len(text.split()) + 2


def test_a_good_scene_has_no_findings() -> None:
    assert lint(pond(FISH, REED), words) == ()


@pytest.mark.parametrize(
    ("scene", "code", "severity", "says"),
    [
        (
            pond(FISH, Object("dog", REED.box)),
            "phrase-not-in-caption",
            "warning",
            'the caption does not contain the phrase of objects[1] "dog"',
        ),
        (
            pond(FISH, caption="a red fish " + "very " * 80),
            "text-too-long",
            "warning",
            "the caption has 85 tokens; the text encoder reads the first 77",
        ),
        (
            pond(FISH, Object("reed", FISH.box)),
            "twin-boxes",
            "warning",
            'objects[0] "red fish" and objects[1] "reed" have the same box',
        ),
        (
            pond(FISH, Object("reed", Box(0.05, 0.4, 0.45, 0.66))),
            "heavy-overlap",
            "note",
            'objects[0] "red fish" and objects[1] "reed" overlap heavily (IoU 0.65)',
        ),
        (
            pond(Object("reed", Box(0.5, 0, 0.51, 1))),
            "box-below-cell",
            "warning",
            'objects[0] "reed" is 5.1x512.0 pixels, less than the 8 pixels of one latent cell',
        ),
        (
            pond(FISH, width=500),
            "canvas-off-grid",
            "warning",
            "the canvas 500x512 is no multiple of 8 pixels",
        ),
    ],
)
def test_a_finding(scene: Scene, code: str, severity: str, says: str) -> None:
    (finding,) = lint(scene, words)
    assert (finding.code, finding.severity, finding.message) == (code, severity, says)
    assert finding.suggestion


def test_lengths_need_a_token_count() -> None:
    assert lint(pond(FISH, caption="a red fish " + "very " * 80)) == ()


def test_the_cell_decides_what_is_small() -> None:
    assert not lint(pond(FISH), latent_cell=64)
    codes = [finding.code for finding in lint(pond(FISH), latent_cell=256)]
    assert codes == ["box-below-cell"]


def test_the_canvas_suggestion_is_on_the_grid() -> None:
    (finding,) = lint(pond(width=501))
    assert finding.suggestion == "use 504x512"


def test_a_plural_names_its_things() -> None:
    box, other = Box(0.1, 0.1, 0.4, 0.5), Box(0.5, 0.1, 0.9, 0.5)
    for caption, phrase in (("two red houses", "red house"), ("two butterflies", "butterfly")):
        scene = Scene(caption, Layout((Object(phrase, box), Object(phrase, other))))
        assert not [f for f in lint(scene) if f.code == "phrase-not-in-caption"]
    scene = Scene("two catsuits", Layout((Object("cat", box),)))
    assert [f.code for f in lint(scene)] == ["phrase-not-in-caption"]
