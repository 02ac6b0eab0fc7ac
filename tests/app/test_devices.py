"""Which device a process takes, and which process speaks, by the environment that torchrun sets."""

import pytest
import torch

from situ.app.placing import process_device
from situ.scene import SituError


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def started(monkeypatch: pytest.MonkeyPatch, local_rank: int, processes: int) -> None:
    monkeypatch.setenv("LOCAL_RANK", str(local_rank))
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))


@pytest.mark.usefixtures("two_gpus")
def test_each_process_of_torchrun_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cuda", "auto"):
        found = []
        for rank in range(2):
            started(monkeypatch, rank, 2)
            found.append(str(process_device(name)))
        assert found == ["cuda:0", "cuda:1"]
    assert str(process_device("cpu")) == "cpu"


@pytest.mark.usefixtures("two_gpus")
def test_alone_a_process_takes_what_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert [str(process_device(name)) for name in ("cuda", "cuda:1")] == ["cuda", "cuda:1"]
    started(monkeypatch, 0, 1)
    assert str(process_device("cuda:1")) == "cuda:1"


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("name", "local_rank", "said"),
    [
        ("cuda:1", 0, "'cuda:1' is one GPU for 3 processes; give cuda"),
        ("cuda", 2, "process 3 of this machine needs a GPU of its own, and there are 2"),
    ],
)
def test_processes_without_a_gpu_of_their_own_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, local_rank: int, said: str
) -> None:
    started(monkeypatch, local_rank, 3)
    with pytest.raises(SituError, match=said):
        process_device(name)
