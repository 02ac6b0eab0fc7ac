"""The pictures that the recipe of a stage names."""

from pathlib import Path

from situ.app.recipe import Recipe
from situ.data.coco import Item, read_coco
from situ.scene import SituError


def items_of(recipe: Recipe, key: str = "folder") -> tuple[Item, ...]:
    """The items of the COCO-format folder [data] `key`, with its instances, captions and images.

    Those keys are for a folder that does not name them as `situ data` does; of another folder than the
    first they begin with its key, as in held_out_instances. Raises SituError where the folder is missing.
    """
    folder, prefix = Path(recipe.value("data", key)), "" if key == "folder" else f"{key}_"
    if not folder.is_dir():
        raise SituError(f"{folder} is missing: {recipe.path.name} says how to make it")
    table, names = recipe.tables["data"], ("instances", "captions", "images")
    return read_coco(folder, **{n: table[prefix + n] for n in names if prefix + n in table})
