"""Teaches Hypothesis to draw boxes, objects, layouts and scenes from their type annotations."""

from hypothesis import strategies as st

from situ.scene import Box, Layout, Object, Scene
from situ.scene.layout import MAX_OBJECTS, MAX_PHRASE_CHARACTERS

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
said = words.filter(lambda text: bool(text.strip()))
phrases = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=MAX_PHRASE_CHARACTERS
).filter(lambda text: bool(text.strip()))
sides = st.integers(1, 2048)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Any box of at least a thousandth of the picture each way."""
    x0, y0 = draw(st.floats(0, 0.999)), draw(st.floats(0, 0.999))
    return Box(x0, y0, draw(st.floats(x0 + 0.001, 1)), draw(st.floats(y0 + 0.001, 1)))


objects = st.builds(Object, phrases, boxes())
layouts = st.lists(objects, max_size=MAX_OBJECTS).map(lambda items: Layout(tuple(items)))

st.register_type_strategy(Box, boxes())
st.register_type_strategy(Object, objects)
st.register_type_strategy(Layout, layouts)
st.register_type_strategy(Scene, st.builds(Scene, said, layouts, sides, sides))
