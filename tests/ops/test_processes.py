import pytest

from situ.ops.processes import is_first, process_place


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({}, (0, 1)),
        ({"RANK": "0", "WORLD_SIZE": "2"}, (0, 2)),
        ({"RANK": "1", "WORLD_SIZE": "2"}, (1, 2)),
        ({"RANK": "1"}, (0, 1)),
    ],
)
def test_a_process_knows_its_place(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], place: tuple[int, int]
) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert process_place() == place
    assert is_first() == (place[0] == 0)
