"""The page of a study in a real browser, from the first click to the analysed answers."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import CHROMIUM, PATIENCE, Browser
from PIL import Image

from situ.app import manifest
from situ.app.study import Options, analyse_study, build_study, read_study
from situ.files.atomic import write_png
from situ.files.png import text_info
from situ.files.record import Record
from situ.scene import Scene

KEYS = {"left": "ArrowLeft", "right": "ArrowRight", "tie": "ArrowDown"}
COLOURS = {"ours": (40, 120, 80), "theirs": (150, 60, 40)}

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


def draw_folder(folder: Path, system: str, captions: int) -> Path:
    """What situ generate leaves behind, with one colour for each system."""
    entries = []
    for seed in range(captions):
        scene = Scene(f"{seed + 1} birds over <b>water</b>", width=32, height=32)
        model = {"name": system, "weights": "none", "dtype": "float32"}
        record = Record(scene, seed, system, {"steps": 1}, model, "0")
        name = f"{seed:04d}.png"
        image = Image.new("RGB", (32, 32), COLOURS[system])
        write_png(folder / name, image, text_info(record.texts()))
        entries.append({"file": name, **record.to_json()})
    manifest.rebuild(folder, entries)
    return folder


def built(folder: Path, **options: Any) -> Path:
    """A study of two systems and 3 prompts; its folder."""
    folders = {system: draw_folder(folder / system, system, 3) for system in COLOURS}
    build_study(folders, folder / "study", Options(raters=1, checks=2, **options))
    return folder / "study"


def shown(browser: Browser) -> bool:
    """Wait for the next question; whether there is one."""
    over = "!document.getElementById('done').hidden"
    browser.until(f"!waiting || {over}")
    return not browser.js(over)


def test_a_rater_goes_from_the_first_click_to_analysed_answers(
    browser: Browser, tmp_path: Path
) -> None:
    place = built(tmp_path)
    study = read_study(place / "study.json")
    trials = {trial.id: trial for session in study.sessions for trial in session.trials}
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
    browser.size(1280, 800)
    browser.events.clear()
    address = f"{(place / 'study.html').as_uri()}#1"
    browser.open(address)
    assert browser.js("document.getElementById('number').value") == "1"
    browser.click("#begin")
    count = 0
    while shown(browser):
        count += 1
        trial = trials[browser.js("here().id")]
        answer = trial.check.answer if trial.check else None
        liked = answer or ("left" if trial.left.system == "ours" else "right")
        if count == 3:  # a slip, undone
            browser.key("ArrowDown")
            browser.until("!waiting && progress.answers.length === 3")
            browser.key("Backspace")
            browser.until("!waiting && progress.answers.length === 2")
        if count == 5:  # the tab is closed, and opened again
            browser.open("about:blank")
            browser.open(address)
            assert "4 of 10" in browser.js("document.getElementById('begin').textContent")
            browser.click("#begin")
            shown(browser)
        if count == 6:  # by mouse
            browser.click(f".picture[data-choice={liked}]")
        else:
            browser.key(KEYS[liked])
    assert count == 10
    browser.click("#done [data-save]")
    end = time.monotonic() + PATIENCE
    while not list(downloads.glob("answers-*.json")):
        assert time.monotonic() < end, "nothing was downloaded"
        time.sleep(0.05)
    _assert_quiet(browser, place)
    analysis = analyse_study(place / "study.json", [downloads], tmp_path / "result")
    assert [rater.checks_passed for rater in analysis.collection.raters] == [3]
    assert not analysis.collection.remarks
    for result in analysis.results:
        (duel,) = result.duels
        assert (duel.one, duel.wins, duel.losses, duel.ties) == ("ours", 3, 0, 0)
    assert (tmp_path / "result" / "result.svg").read_text().startswith("<svg")


def test_pictures_beside_the_page_are_shown_and_a_missing_one_is_told(
    browser: Browser, tmp_path: Path
) -> None:
    place = built(tmp_path, beside=True, seed=1)
    browser.events.clear()
    browser.open(f"{(place / 'study.html').as_uri()}#1")
    browser.click("#begin")
    browser.until("!waiting")
    assert browser.js("document.getElementById('left').naturalWidth") == 32
    _assert_quiet(browser, place)
    (place / "pictures").rename(place / "moved")
    browser.open("about:blank")
    browser.call("Network.setCacheDisabled", cacheDisabled=True)
    browser.open(f"{(place / 'study.html').as_uri()}#1")
    browser.click("#begin")
    browser.until("!document.getElementById('broken').hidden")
    browser.key("ArrowLeft")
    assert browser.js("progress.answers.length") == 0


def test_both_pictures_and_all_buttons_fit_on_every_screen(
    browser: Browser, tmp_path: Path
) -> None:
    place = built(tmp_path, seed=2)  # another study than above, where answers are kept
    browser.open(f"{(place / 'study.html').as_uri()}#1")
    browser.click("#begin")
    browser.until("!waiting")
    page, buttons = "document.documentElement", "[...document.querySelectorAll('#trial button')]"
    for width, height in ((360, 640), (390, 844), (768, 1024), (1280, 800), (1920, 1080)):
        browser.size(width, height)
        browser.until(f"innerWidth === {width}")
        assert browser.js(f"{page}.scrollWidth") <= width
        assert browser.js(f"{page}.scrollHeight") <= height
        low = browser.js(f"Math.min(...{buttons}.map(b => b.getBoundingClientRect().height))")
        assert low >= 44  # px: what a thumb can hit


def test_a_prompt_is_text_and_never_markup(browser: Browser, tmp_path: Path) -> None:
    place = built(tmp_path, seed=3)
    browser.open(f"{(place / 'study.html').as_uri()}#1")
    browser.click("#begin")
    browser.until("!waiting")
    assert browser.js("document.getElementById('prompt').textContent").endswith(" <b>water</b>”")


def _assert_quiet(browser: Browser, place: Path) -> None:
    """No complaint of the browser, and no request but for files of the study."""
    browser.js("1")
    for event in browser.events:
        assert event.get("method") not in ("Runtime.exceptionThrown", "Log.entryAdded"), event
        if event.get("method") == "Network.requestWillBeSent":
            address = event["params"]["request"]["url"]
            assert address.startswith(("data:", "blob:", "about:", place.as_uri())), address
