"""The recogniser's questions are answered from the annotations, and it can learn the answers."""

from pathlib import Path

import torch

from situ.data.coco import read_coco, read_json
from situ.data.packed import pack_pictures
from situ.storybook.book import write_book
from situ.storybook.recogniser import ANSWERS, FEATURES, Recogniser
from situ.training.loop import step_generator
from situ.training.recognition import WORDS, RecognitionData, RecognitionObjective


def data(folder: Path) -> RecognitionData:
    write_book(folder, 6, "train", workers=1)
    items = read_coco(folder)
    pages = read_json(folder / "annotations/instances.json")["pages"]
    backgrounds = {page["id"]: page["background"] for page in pages}
    return RecognitionData(pack_pictures(items, folder / "p.npy", 128), items, backgrounds)


def test_a_box_is_asked_for_one_thing_and_a_page_for_all_of_its_own(tmp_path: Path) -> None:
    book = data(tmp_path)
    batch = book.batch(32, step_generator(0, 0))
    for row in range(32):
        looks = batch["kinds"][row].sum()
        if batch["whole"][row]:
            assert 1 <= looks <= batch["count"][row] + 1
        else:
            assert looks == 1
            assert all(batch[name][row].sum() == 1 for name in WORDS)
    assert 0 < batch["whole"].sum() < 32


def test_the_same_step_asks_the_same_questions(tmp_path: Path) -> None:
    book = data(tmp_path)
    one, two = (book.batch(4, step_generator(0, 3)) for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_recogniser_learns_six_pages_by_heart(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Recogniser()
    objective = RecognitionObjective(network)
    batch = data(tmp_path).batch(12, step_generator(0, 0))
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3)
    first = float(objective(batch)["loss"].detach())
    for _ in range(25):
        optimizer.zero_grad()
        loss = objective(batch)["loss"]
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.6 * first


def test_features_have_their_width_and_answers_their_number() -> None:
    network = Recogniser().eval()
    features = network(torch.zeros(2, 3, 128, 128))
    assert features.shape == (2, FEATURES)
    assert {k: v.shape[1] for k, v in network.answer(features).items()} == ANSWERS
