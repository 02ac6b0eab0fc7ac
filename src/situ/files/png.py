"""Text inside PNG files: written with Pillow, read by the standard library alone.

A picture may come from anywhere, so reading is bounded: in the size of a chunk, in what a
compressed chunk unpacks to, and in the number of chunks. Sizes are checked before bytes are read.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from situ.scene import SituError

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT_BYTES = 2**20  # a scene of 30 objects with phrases of 300 characters needs 50,000
MAX_CHUNKS = 100_000


def text_info(texts: Mapping[str, str]) -> "PngInfo":
    """Chunks for a picture to be saved with: plain ASCII as tEXt, all else as iTXt in UTF-8."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for key, text in texts.items():
        if text.isascii():
            info.add_text(key, text)
        else:
            info.add_itxt(key, text)
    return info


def read_texts(path: Path) -> dict[str, str]:
    """Every text of a PNG file by its key; of a repeated key the first. Pixels are not read."""
    texts: dict[str, str] = {}
    try:
        with path.open("rb") as file:
            for kind, body in _text_chunks(file, path):
                found = _text(kind, body)
                if found:
                    texts.setdefault(*found)
    except OSError as error:
        raise SituError(f"{path}: cannot be read: {error.strerror}") from None
    return texts


def _text_chunks(file: BinaryIO, path: Path) -> Iterator[tuple[bytes, bytes]]:
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise SituError(f"{path} is not a PNG file, whatever its name says")
    for _ in range(MAX_CHUNKS):
        size, kind = _chunk_head(file, path)
        if kind == b"IEND":
            return
        wanted = kind in (b"tEXt", b"iTXt", b"zTXt") and size <= MAX_TEXT_BYTES
        if wanted:
            body = file.read(size)
            if len(body) < size:
                raise _torn(path)
            yield kind, body
        file.seek(4 if wanted else size + 4, 1)
    raise SituError(f"{path}: more than {MAX_CHUNKS} chunks: this is no picture")


def _chunk_head(file: BinaryIO, path: Path) -> tuple[int, bytes]:
    head = file.read(8)
    if len(head) < 8:
        raise _torn(path)
    size, kind = struct.unpack(">I4s", head)
    return size, kind


def _torn(path: Path) -> SituError:
    return SituError(f"{path} is not a whole PNG file: it ends too early")


def _text(kind: bytes, body: bytes) -> tuple[str, str] | None:
    """Key and text of one chunk (PNG specification, section 11.3.3), or None if it is malformed."""
    key, found, rest = body.partition(b"\0")
    if not found:
        return None
    try:
        content = {b"tEXt": _plain, b"zTXt": _packed, b"iTXt": _international}[kind](rest)
    except (UnicodeDecodeError, zlib.error, ValueError):
        return None
    return key.decode("latin-1"), content


def _plain(body: bytes) -> str:
    return body.decode("latin-1")


def _packed(body: bytes) -> str:
    return _unpacked(body[1:]).decode("latin-1")


def _international(body: bytes) -> str:
    flags, (_, _, content) = body[:2], body[2:].split(b"\0", 2)
    return (_unpacked(content) if flags[:1] == b"\1" else content).decode()


def _unpacked(content: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    result = unpacker.decompress(content, MAX_TEXT_BYTES)
    if unpacker.unconsumed_tail:
        raise ValueError("a text that unpacks to more than MAX_TEXT_BYTES")
    return result
