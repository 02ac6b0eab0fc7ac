"""Where models are looked for, and what is said where there is none."""

from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from situ.app import find as finding
from situ.app.find import HUB_FILES, find, known_as
from situ.app.placing import device_of, dtype_of
from situ.scene import SituError

GLIGEN = "masterful/gligen-1-4-generation-text-box"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A hub that is out of reach, and a list of what was asked of it."""
    asked: list[dict[str, Any]] = []

    def unreachable(repository: str, **options: Any) -> str:
        asked.append({"repository": repository, **options})
        raise OSError("[Errno -2] Name or service not known\nmore")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    return asked


def with_weights(folder: Path) -> Path:
    for name in finding.WEIGHTS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.fp16.safetensors").touch()
    return folder


def test_a_folder_is_itself(tmp_path: Path) -> None:
    assert find(str(tmp_path)) == tmp_path


def test_without_a_network_it_says_what_is_needed_and_where_it_goes(calls: list[Any]) -> None:
    with pytest.raises(SituError) as caught:
        find(GLIGEN)
    message = str(caught.value)
    assert "\n" not in message
    assert "Name or service not known" in message
    assert f"hf download {GLIGEN}" in message
    assert all(name in message for name in HUB_FILES)
    assert "one folder and give its path" in message


def test_the_cache_is_asked_first_and_no_pickle_ever(calls: list[Any]) -> None:
    with pytest.raises(SituError):
        find(f"{GLIGEN}@refs/pr/2")
    assert [call["local_files_only"] for call in calls] == [True, False]
    assert all(call["repository"] == GLIGEN for call in calls)
    assert all(call["revision"] == "refs/pr/2" for call in calls)
    for call in calls:
        assert all(p.endswith((".safetensors", ".json", ".txt")) for p in call["allow_patterns"])


def test_what_is_in_the_cache_needs_no_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = with_weights(tmp_path)

    def cached(repository: str, *, local_files_only: bool, **options: Any) -> str:
        assert local_files_only
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
    assert find("owner/name") == folder


def test_a_repository_of_pickles_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: str(tmp_path))
    with pytest.raises(
        SituError, match=r"lacks .*unet/diffusion_pytorch_model\.safetensors.*pickles"
    ):
        find("owner/name")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("storybok", "did you mean 'storybook'"),
        ("/no/such/folder", "no folder '/no/such/folder'"),
        ("../x", "no folder"),
    ],
)
def test_a_name_that_is_nothing_gets_a_guess(calls: list[Any], name: str, message: str) -> None:
    with pytest.raises(SituError, match=message):
        find(name)
    assert not calls


def test_a_file_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    with pytest.raises(SituError, match="is a file.*convert-gligen"):
        find(str(tmp_path / "model.bin"))


def test_pictures_carry_no_private_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path / "model")
    assert known_as(str(tmp_path / "model")) == "model"
    assert known_as(".") == "model"
    assert known_as("owner/name") == "owner/name"
    assert known_as("storybook") == "storybook"


def test_devices_and_dtypes_by_name() -> None:
    assert device_of("cpu").type == "cpu"
    assert device_of("auto").type in ("cpu", "cuda", "mps")
    assert str(dtype_of("float16")) == "torch.float16"
    with pytest.raises(SituError, match="dtype: 'half' is unknown"):
        dtype_of("half")
    with pytest.raises(SituError, match="device: 'gpu' is unknown; allowed here: cpu"):
        device_of("gpu")
    with pytest.raises(SituError, match="device: 'cuda:99' is not on this machine"):
        device_of("cuda:99")
