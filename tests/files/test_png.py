"""Texts in PNG files: round trips, and files that nobody should trust."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from situ.files.png import MAX_TEXT_BYTES, SIGNATURE, read_texts, text_info
from situ.scene import SituError

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


def saved(path: Path, info: PngInfo) -> Path:
    Image.new("RGB", (4, 4)).save(path, "PNG", pnginfo=info)
    return path


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@given(text=texts)
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = saved(tmp_path_factory.mktemp("png") / "a.png", text_info({"situ": text, "other": "x"}))
    assert read_texts(path) == {"situ": text, "other": "x"}


def test_pillow_reads_what_was_written(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", text_info({"situ": "рыба", "parameters": "a fish\nSteps: 5"}))
    with Image.open(path) as image:
        assert image.info["situ"] == "рыба"
        assert image.info["parameters"] == "a fish\nSteps: 5"


def test_compressed_texts_of_other_programs_are_read(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("packed", "a" * 5000, zip=True)
    info.add_itxt("international", "ö" * 5000, zip=True)
    found = read_texts(saved(tmp_path / "a.png", info))
    assert found == {"packed": "a" * 5000, "international": "ö" * 5000}


def test_the_first_of_two_texts_with_one_key_counts(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("situ", "first")
    info.add_text("situ", "second")
    assert read_texts(saved(tmp_path / "a.png", info)) == {"situ": "first"}


def test_a_text_that_unpacks_to_more_than_the_limit_is_left_out(tmp_path: Path) -> None:
    body = b"bomb\0\0" + zlib.compress(bytes(20 * MAX_TEXT_BYTES))
    path = tmp_path / "a.png"
    path.write_bytes(
        SIGNATURE + chunk(b"zTXt", body) + chunk(b"tEXt", b"k\0v") + chunk(b"IEND", b"")
    )
    assert read_texts(path) == {"k": "v"}


def test_a_huge_chunk_is_skipped_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    big = chunk(b"tEXt", b"big\0" + b"x" * (MAX_TEXT_BYTES + 1))
    path.write_bytes(SIGNATURE + big + chunk(b"tEXt", b"k\0v") + chunk(b"IEND", b""))
    assert read_texts(path) == {"k": "v"}


@pytest.mark.parametrize(
    "content",
    [
        SIGNATURE,
        SIGNATURE + b"\0\0",
        SIGNATURE + struct.pack(">I4s", 2**31, b"tEXt"),
        SIGNATURE + struct.pack(">I4s", 100, b"iTXt") + b"short",
        SIGNATURE + chunk(b"IHDR", bytes(13)),
    ],
)
def test_a_file_that_ends_early_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "torn.png"
    path.write_bytes(content)
    with pytest.raises(SituError, match=r"torn\.png is not a whole PNG file"):
        read_texts(path)


def test_a_jpeg_with_the_wrong_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (4, 4)).save(path, "JPEG")
    with pytest.raises(SituError, match="is not a PNG file"):
        read_texts(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SituError, match=r"gone\.png: cannot be read: No such file"):
        read_texts(tmp_path / "gone.png")


@given(body=st.binary(max_size=200), kind=st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"abCd"]))
def test_no_chunk_crashes_the_reader(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, kind: bytes
) -> None:
    path = tmp_path_factory.mktemp("png") / "a.png"
    path.write_bytes(SIGNATURE + chunk(kind, body) + chunk(b"IEND", b""))
    assert isinstance(read_texts(path), dict)


def test_equal_pictures_give_equal_files() -> None:
    def content() -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4)).save(buffer, "PNG", pnginfo=text_info({"situ": "ö"}))
        return buffer.getvalue()

    assert content() == content()
