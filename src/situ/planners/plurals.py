"""Plurals that no rule gives, and nouns that have none or nothing else."""

from situ.planners.verb_forms import word_set

IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "mice": "mouse", "geese": "goose",  # noqa: E501
    "feet": "foot", "teeth": "tooth", "oxen": "ox", "leaves": "leaf", "wolves": "wolf", "knives": "knife",
    "shelves": "shelf", "loaves": "loaf", "calves": "calf", "scarves": "scarf", "halves": "half",
    "wives": "wife", "thieves": "thief", "elves": "elf", "cacti": "cactus", "dice": "die", "octopi": "octopus",  # noqa: E501
    "bookshelves": "bookshelf", "policemen": "policeman", "firemen": "fireman", "fishermen": "fisherman",
    "snowmen": "snowman", "businessmen": "businessman", "gentlemen": "gentleman", "buses": "bus",
    "busses": "bus", "cookies": "cookie", "pies": "pie", "ties": "tie", "movies": "movie", "selfies": "selfie",  # noqa: E501
    "zombies": "zombie", "genies": "genie", "brownies": "brownie", "hippies": "hippie", "puppies": "puppy",
    "potatoes": "potato", "tomatoes": "tomato", "heroes": "hero", "mangoes": "mango", "axes": "axe",
    "hooves": "hoof", "fungi": "fungus", "cherries": "cherry", "mermen": "merman", "salesmen": "salesman",
    "polices": "police", "skies": "sky", "knifes": "knife", "mouses": "mouse", "grandchildren": "grandchild",
    "doves": "dove", "stoves": "stove", "gloves": "glove", "hives": "hive", "olives": "olive", "waves": "wave",  # noqa: E501
    "lenses": "lens", "gases": "gas", "canvases": "canvas", "buss": "bus", "collies": "collie",
    "magpies": "magpie", "walkie-talkies": "walkie-talkie", "smoothies": "smoothie", "hoodies": "hoodie",
    "snowwomen": "snowwoman", "postmen": "postman", "lilies": "lily", "glasse": "glass",
}  # fmt: skip
SAME = word_set(
    "sheep fish deer goldfish shrimp moose salmon bison trout cod tuna squid aircraft spacecraft "
    "elk swine reindeer offspring hovercraft jellyfish starfish"
)
HERDS = word_set(
    "sheep deer elk bison swine reindeer goldfish jellyfish aircraft"
)  # alone, they are several
ALWAYS_PLURAL = word_set(
    "scissors glasses sunglasses pants jeans shorts skis trousers binoculars headphones tongs "
    "pajamas goggles pliers tweezers tights leggings overalls shears stairs clothes earphones "
    "steps drawers blinds dungarees earmuffs pincers pyjamas slacks spectacles suspenders "
    "sweatpants trunks"
)
ENDS_IN_S = word_set(
    "bus glass dress grass cactus octopus walrus compass canvas lens cross boss mattress princess "
    "waitress rhinoceros hippopotamus circus gas bass iris chess address tennis christmas mars venus moss "
    "citrus asparagus platypus lotus hibiscus virus campus trapeze species series cyclops pegasus "
    "abacus atlas biceps chaos cosmos forceps gladiolus kudos news pampas pancreas thermos triceps"
)
