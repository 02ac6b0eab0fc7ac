"""The README's Python block runs as it stands."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_python_block_of_the_readme_draws_a_picture() -> None:
    block = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert block
    names: dict[str, object] = {}
    exec(block.group(1), names)
    assert names["picture"].size == (128, 128)  # type: ignore[attr-defined]
