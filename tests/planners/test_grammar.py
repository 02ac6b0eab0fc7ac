"""One sentence for each rule of grammar: how many of what, and who stands where."""

from collections import Counter

import pytest

from situ.planners import plan_by_rules

Told = set[tuple[str, str, str]]


def told(text: str) -> Told:
    """Relations that are sure, by the phrases of their ends."""
    symbols = plan_by_rules(text).symbols
    phrases = [thing.phrase for thing in symbols.things]
    return {
        (phrases[r.subject], r.predicate, phrases[r.object]) for r in symbols.relations if r.sure
    }


def counts(text: str) -> dict[str, int]:
    return dict(Counter(plan_by_rules(text).layout.phrases))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a finite verb ends the noun phrase
        ("a pebble and a brown stone lie on a plate", {"pebble": 1, "brown stone": 1, "plate": 1}),
        ("three white houses with blue roofs stand by a tree",
         {"white house": 3, "blue roof": 2, "tree": 1}),
        ("two roses and one lily stands on a shelf", {"rose": 2, "lily": 1, "shelf": 1}),
        ("a fat cat blocks the door", {"fat cat": 1, "door": 1}),
        ("a candle burns while snow falls", {"candle": 1}),
        ("a man and a dog watch the sun go down", {"man": 1, "dog": 1, "sun": 1}),
        ("one man plays the piano, another plays the violin", {"man": 2, "piano": 1, "violin": 1}),
        ("a cup with a bent handle meanders past a jug", {"cup": 1, "jug": 1, "bent handle": 1}),
        ("a saw, two chisels and a plane", {"saw": 1, "chisel": 2, "plane": 1}),
        ("on a narrow street people are dancing", {"person": 2}),
        # what the scene is, rather than what is in it
        ("Kitchen scene, morning. A kettle on the stove.", {"kettle": 1, "stove": 1}),
        ("For my class: a hen with five chicks", {"hen": 1, "chick": 5}),
        ("a kite above a lamp post, suburban street", {"kite": 1, "lamp post": 1}),
        ("A cozy reading corner with a leather armchair", {"leather armchair": 1}),
        ("a clown at a music festival", {"clown": 1}),
        # numbers and plurals
        ("sheep graze behind a fence", {"sheep": 2, "fence": 1}),
        ("four kinds of birds on a fence", {"bird": 4, "fence": 1}),
        ("a street at night with three parked cars", {"parked car": 3}),
        ("a teacher with six pupils", {"teacher": 1, "pupil": 6}),
        ("two monkeys on a rock and a third one on a log", {"monkey": 3, "rock": 1, "log": 1}),
        ("a tub full of ducks, one of which is black", {"tub": 1, "duck": 2, "black duck": 1}),
        ("half of the tulips are red, the other half are yellow",
         {"red tulip": 2, "yellow tulip": 2}),
        ("six eggs: two brown, two white and two speckled",
         {"brown egg": 2, "white egg": 2, "speckled egg": 2}),
        ("two children, a boy with a kite and a girl with a doll, run",
         {"boy": 1, "kite": 1, "girl": 1, "doll": 1}),
        ("four hats: a top hat, a beret, a bowler hat and a straw cap",
         {"top hat": 1, "beret": 1, "bowler hat": 1, "straw cap": 1}),
        ("one cake has four candles and the other cake has six", {"cake": 2, "candle": 10}),
        ("two red apples in a box and three green ones outside it",
         {"red apple": 2, "box": 1, "green apple": 3}),
        ("a palm on each side of the doorway", {"palm": 2, "doorway": 1}),
        ("a nurse and a doctor on either side of a bed", {"nurse": 1, "doctor": 1, "bed": 1}),
        ("a crate next to a smaller crate", {"crate": 1, "smaller crate": 1}),
        ("a car with six clowns inside and one on the roof", {"car": 1, "clown": 7}),
        ("The biggest cat is on a mat; the other three are on a rug",
         {"biggest cat": 1, "mat": 1, "cat": 3, "rug": 1}),
        ("the oldest of the three trees", {"tree": 2, "oldest tree": 1}),
        ("two empty bottles and one full one", {"empty bottle": 2, "full bottle": 1}),
        # what is no thing
        ("an astronaut and an alien shaking hands", {"astronaut": 1, "alien": 1}),
        ("a boy and a girl playing tennis", {"boy": 1, "girl": 1}),
        ("three squires on foot", {"squire": 3}),
        ("a woman in red and a man dressed in orange", {"woman": 1, "man": 1}),
        ("a young woman, freckles, holding a dove", {"young woman": 1, "dove": 1}),
        ("a hedgehog rolled into a ball", {"hedgehog": 1}),
        ("a library with nobody at the long table", {"long table": 1}),
        ("a room with nobody in it", {}),
        ("a sign with three bullet holes", {"sign": 1}),
    ],
)  # fmt: skip
def test_how_many_of_what(text: str, expected: dict[str, int]) -> None:
    assert counts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # whose it is, after "with"
        ("a snowman with a hat and a scarf stands in front of a hut",
         {("snowman", "wearing", "hat"), ("snowman", "wearing", "scarf"), ("snowman", "in front of", "hut")}),
        ("a desk with neither a lamp nor a phone, only a book", {("book", "on", "desk")}),
        ("a table with nothing on it but a candle", {("candle", "on", "table")}),
        ("a pizza with mushrooms, but no olives", {("mushroom", "on", "pizza")}),
        ("a hot dog with ketchup on a plate",
         {("ketchup", "on", "hot dog"), ("hot dog", "on", "plate")}),
        ("a church with a tall steeple surrounded by trees",
         {("tall steeple", "inside", "church"), ("tree", "around", "church")}),
        ("a car with a kayak and two suitcases strapped to its roof",
         {("kayak", "inside", "car"), ("suitcase", "inside", "car")}),
        ("a cactus with a flower on top, in a pot",
         {("flower", "on", "cactus"), ("cactus", "inside", "pot")}),
        ("a cottage with two bicycles parked in front", {("bicycle", "in front of", "cottage")}),
        ("a tower of blocks, with a red block at the very top",
         {("red block", "on", "tower of blocks")}),
        ("a woman sits on a sofa with a laptop in front of her",
         {("woman", "on", "sofa"), ("laptop", "in front of", "woman")}),
        # who does it
        ("a twin wearing pajamas sitting on a bed",
         {("twin", "wearing", "pajamas"), ("twin", "on", "bed")}),
        ("a man sitting on a bench and eating ice cream",
         {("man", "on", "bench"), ("man", "holding", "ice cream")}),
        ("a cat watches two goldfish swim in a bowl", {("goldfish", "inside", "bowl")}),
        ("a goat on the roof of a car parked next to a hut",
         {("goat", "on", "car"), ("car", "next to", "hut")}),
        ("a bee above a hive hanging from a branch",
         {("bee", "above", "hive"), ("hive", "below", "branch")}),
        ("a boy on the left holding a ball", {("boy", "holding", "ball")}),
        ("a man blows out the candles on a cake",
         {("man", "holding", "candle"), ("candle", "on", "cake")}),
        ("Both divers wear helmets, and one of them holds an axe",
         {("diver", "wearing", "helmet"), ("diver", "holding", "axe")}),
        ("a gnome with a red hat pushing a cart", {("gnome", "wearing", "red hat")}),
        ("A girl with braids, hugging a doll, stands on a rug",
         {("girl", "holding", "doll"), ("girl", "on", "rug")}),
        ("The dog wears a hat, the cat a tie",
         {("dog", "wearing", "hat"), ("cat", "wearing", "tie")}),
        # where it is
        ("a man holding an umbrella over a woman",
         {("man", "holding", "umbrella"), ("umbrella", "above", "woman")}),
        ("a turtle carrying a house on its shell", {("house", "on", "turtle")}),
        ("a woman holding a baby in one arm and a bag in the other",
         {("woman", "holding", "baby"), ("woman", "holding", "bag")}),
        ("a crab on guitar", {("crab", "holding", "guitar")}),
        ("a towel hanging over a chair", {("towel", "on", "chair")}),
        ("a lamp hanging over a chair", {("lamp", "above", "chair")}),
        ("a car in front a barn", {("car", "in front of", "barn")}),
        ("two parrots on opposite ends of a branch", {("parrot", "on", "branch")}),
        ("a rabbit nibbles on a carrot", {("rabbit", "near", "carrot")}),
        ("a red umbrella in a crowd of black umbrellas",
         {("red umbrella", "next to", "black umbrella")}),
        ("on a shelf: three books, a cactus in a pot, and a photo",
         {("book", "on", "shelf"), ("cactus", "on", "shelf"), ("cactus", "inside", "pot"),
          ("photo", "on", "shelf")}),
        ("side by side: a mouse and an elephant", {("mouse", "next to", "elephant")}),
        ("a bear on a ball, and on its nose there is a spoon",
         {("bear", "on", "ball"), ("spoon", "on", "bear")}),
        ("Behind the bar, on which there is a cup, stands a man",
         {("cup", "on", "bar"), ("man", "behind", "bar")}),
        ("A desk, on which lies a pen, stands in front of a wall",
         {("pen", "on", "desk"), ("desk", "in front of", "wall")}),
        ("an owl on a signpost that points to the left", {("owl", "on", "signpost")}),
        ("crows on a scarecrow's outstretched arms", {("crow", "on", "scarecrow")}),
        ("a lamp on the left end of a shelf and a clock on the right end",
         {("lamp", "on", "shelf"), ("clock", "on", "shelf")}),
        ("three lemons and one more lime than lemons in a bowl",
         {("lemon", "inside", "bowl"), ("lime", "inside", "bowl")}),
        ("a green apple with a bite taken out of it next to a knife",
         {("green apple", "next to", "knife")}),
        ("a waitress with a pencil behind her ear", {("pencil", "on", "waitress")}),
        ("a diver above a reef, a turtle to her left",
         {("diver", "above", "reef"), ("turtle", "left of", "diver")}),
        ("a man with a dog, an open case with coins in front of him",
         {("coin", "inside", "open case"), ("open case", "in front of", "man")}),
        ("a statue holding a torch in its right hand and a book in its left",
         {("statue", "holding", "torch"), ("statue", "holding", "book")}),
        ("a table with two plates and a rose in a vase",
         {("plate", "on", "table"), ("rose", "inside", "vase")}),
        ("a boy bends over an anthill", {("boy", "near", "anthill")}),
        # what a pronoun stands for
        ("a birdhouse in an oak, a squirrel sitting on its roof",
         {("birdhouse", "inside", "oak"), ("squirrel", "on", "birdhouse")}),
        ("A wizard holds a staff, and an eagle is perched on it",
         {("wizard", "holding", "staff"), ("eagle", "on", "staff")}),
        ("a boat on a deck, its oars lying beside it",
         {("boat", "on", "deck"), ("oar", "next to", "boat")}),
        ("a dog behind a cow, and a cat in front of both",
         {("dog", "behind", "cow"), ("cat", "in front of", "dog"), ("cat", "in front of", "cow")}),
        ("Neither the dog nor the cat is on the bed, but a hamster is", {("hamster", "on", "bed")}),
        ("a bathroom with a shower, a tub and a chair in it", set()),
    ],
)  # fmt: skip
def test_who_stands_where(text: str, expected: Told) -> None:
    assert told(text) == expected


def test_places_belong_to_what_was_named_before() -> None:
    things = plan_by_rules(
        "The woman on the right is taller than the man on the left"
    ).symbols.things
    assert [(thing.phrase, thing.place) for thing in things] == [
        ("woman", "right"),
        ("man", "left"),
    ]
