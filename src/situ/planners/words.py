"""The closed classes of English that describe pictures: numbers, determiners, relations, verbs, style."""

from itertools import product

from situ.planners.verb_forms import word_set

NUMBERS = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "hundred": 100,
    "dozen": 12,
    "single": 1,
    "lone": 1,
    "half-dozen": 6,
}

VAGUE = {  # how many when nobody counted
    "few": 3, "several": 4, "many": 6, "some": 3, "multiple": 4, "numerous": 6, "various": 4,
    "lots": 6, "plenty": 6, "countless": 8, "couple": 2, "pair": 2, "pairs": 2, "trio": 3, "dozens": 24,
    "handful": 4, "both": 2,
}  # fmt: skip
PLURAL = 2  # a plural without a number says no more
GROUP = 4
GROUPS = word_set(
    "group herd flock bunch row line set crowd school swarm pack team cluster collection number variety "
    "array series litter family lot assortment column circle ring gang fleet colony trio groups rows "
    "band choir squad troop army pride pod convoy procession duo quartet"
)
MANY_OF = word_set("amount quantity grouping formation selection")  # of several things only
LADEN = word_set(
    "overgrown laden adorned decorated littered loaded stuffed packed crammed strewn sprinkled drizzled "
    "coated stocked stacked dusted studded dotted"
)
HEAPS = word_set("stack pile heap pyramid tower string stretch circle half")
SINGLE_BUNCHES = word_set(
    "banana grape flower rose key carrot tulip herb asparagus radish daisy balloon"
)
ARTICLES = word_set("a an")
POSSESSIVES = word_set("his her its their my your our whose")
DETERMINERS = (
    ARTICLES
    | POSSESSIVES
    | word_set("the this that these those every each another any either all some both")
)
DEFINITE = POSSESSIVES | word_set("the this that these those both all")
SINGULAR = word_set("a an each every another this that one")
ATTRIBUTIVE = word_set("sports arms goods games sales savings news")  # plurals before other nouns
HEDGES = word_set(
    "exactly about around approximately only just precisely roughly nearly almost over"
)
PRONOUNS = word_set(
    "it them they he she him her its their his itself themselves which who that whom one ones others "
    "these those both this everything something anything nothing someone somebody everyone each"
)
REFERRING = word_set("it them they he she him her itself himself herself themselves")

COPULAS = word_set(
    "is are was were be being been am isn't aren't wasn't weren't becomes remain remains seems looks "
    "appears appear there's it's has' 's"
)
HAVING = word_set(
    "has have had having featuring includes including include contains containing contain"
)
NEGATIONS = word_set(
    "no not without never neither nor except isn't aren't wasn't weren't lacking minus n't"
)
CONJUNCTIONS = word_set(
    "and or but while as plus whereas & yet so then when where because although though"
)
RELATIVES = word_set("that which who whom where")
ADVERBS = word_set(
    "very really quite too also there here only just even still already together apart alone now then "
    "almost nearly slightly somewhat directly immediately gently quietly happily peacefully calmly high "
    "low again once away up down out off over back forward beautifully neatly partly partially fully "
    "closely nearby slowly quickly fast softly brightly highly side-by-side upside sideways outside "
    "outdoors indoors else please exactly respectively instead though however meanwhile everywhere "
    "somewhere ahead upright inward outward home perfectly lightly tightly loosely comfortably "
    "asleep awake alive aloft afloat ajar adrift aglow ablaze aboard ashore aside astray abreast apiece "
    "visible missing available present absent fast midway halfway overhead underfoot downhill uphill "
    "upstairs downstairs "
    "cross-legged barefoot bareheaded hand-in-hand arm-in-arm face-down headfirst single-file upside-down "
    "completely extremely incredibly super ultra much rather pretty far further altogether total"
)

STYLE_PHRASES = (
    "highly detailed", "ultra detailed", "super detailed", "hyper detailed", "intricate details",
    "dramatic lighting", "soft lighting", "studio lighting", "cinematic lighting", "natural lighting",
    "volumetric lighting", "ambient lighting", "golden hour", "depth of field", "shallow focus",
    "bokeh background", "blurred background", "high quality", "best quality", "high resolution",
    "award winning", "award-winning", "trending on artstation", "unreal engine", "octane render",
    "double exposure", "flat lay",
    "game art", "game asset", "cover art", "clip art", "book illustration", "stop motion",
    "macro lens", "tilt shift", "tilt-shift", "long exposure", "time lapse", "studio photo", "product photo",
    "product shot", "black and white line art", "black and white drawing", "black and white sketch",
    "black and white illustration", "line drawing", "wide-angle", "night vision",
    "macro shot", "macro photo", "concept art", "digital art", "pixel art",
    "line art", "vector art", "fan art", "pop art", "3d render",
    "3 d render", "oil painting", "watercolor painting", "watercolour painting", "acrylic painting",
    "digital painting", "pencil drawing", "pencil sketch", "charcoal drawing", "stock photo",
    "anime style", "cartoon style", "in the style of", "black and white photo",
    "black and white photograph", "wide angle", "close up", "close-up", "closeup", "low poly",
    "sharp focus", "soft focus", "film grain", "35 mm", "50 mm", "wide shot", "long shot", "aerial view",
    "bird's eye view", "birds eye view", "side view", "front view", "top view", "isometric view",
    "from above", "seen from above", "view from above", "viewed from above", "top down",
    "beautiful lighting", "warm colors", "warm colours", "vibrant colors", "vibrant colours",
    "pastel colors", "pastel colours", "muted colors", "ray tracing", "white background",
    "black background", "plain background", "simple background",
)  # fmt: skip
STYLE = word_set(
    "4k 8k hd uhd hdr masterpiece photorealistic realistic hyperrealistic hyper-realistic ultrarealistic "
    "photo-realistic cinematic artstation bokeh minimalist minimalistic surreal surrealism impressionist "
    "impressionism cubism baroque anime cartoonish monochrome sepia watercolor watercolour lowpoly "
    "isolated isometric dslr unreal octane render rendered photography aesthetic trending moody "
    "lighting style macro fisheye telephoto panoramic hdri "
    "stylized hyperdetailed"
)
FRAMES = word_set(
    "caricature daguerreotype fresco linocut mural papercut polaroid silhouette photo photograph "
    "picture image painting drawing illustration sketch scene view shot render rendering asset "
    "postcard page portrait closeup close-up depiction snapshot cartoon comic poster print photos "
    "pictures artwork watercolor watercolour animation screenshot photography rendition display "
    "version still advertisement ad advert diagram collage doodle engraving etching woodcut "
    "lithograph infographic wallpaper mockup thumbnail storyboard clipart icon"
)
HANGS = word_set("hangs hang hung leans")  # what a picture on a wall does
REQUESTS = word_set(
    "i would like want please draw show paint make create generate me you can could imagine give render "
    "let's need us"
)
OF_THE_PICTURE = word_set(
    "picture image photo frame scene canvas page painting drawing view shot screen foreground background"
)

COLOURS = word_set(
    "red orange yellow green blue purple pink brown black white grey gray golden gold silver violet "
    "turquoise beige cyan magenta teal maroon navy crimson scarlet ivory tan lavender indigo bronze "
    "auburn azure blond blonde burgundy cerulean ginger khaki mauve taupe "
    "copper cream olive amber rainbow-colored multicolored colorful colourful"
)
TEXTURES = word_set("plain striped dotted checkered")
LARGER = {
    "big": 1.25, "large": 1.25, "huge": 1.5, "giant": 1.5, "enormous": 1.5, "gigantic": 1.5,
    "massive": 1.5, "towering": 1.35, "oversized": 1.35, "bigger": 1.25, "larger": 1.25, "great": 1.15,
    "tall": 1.15, "taller": 1.2, "tallest": 1.25, "biggest": 1.35, "largest": 1.35, "long": 1.1,
    "small": 0.75, "little": 0.75, "tiny": 0.55, "miniature": 0.55, "smaller": 0.75, "mini": 0.6,
    "minuscule": 0.5, "short": 0.85, "shorter": 0.8, "shortest": 0.75, "smallest": 0.65, "baby": 0.75,
}  # fmt: skip
ADJECTIVES = (
    COLOURS
    | TEXTURES
    | frozenset(LARGER)
    | word_set(
        "wooden metal metallic plastic glass stone brick leather paper ceramic rusty shiny dirty clean old "
        "new young ancient modern vintage antique empty full open closed round square rectangular "
        "triangular circular oval flat thin thick wide narrow high low bright dark light pale deep soft "
        "hard smooth rough fluffy fuzzy furry hairy woolen woollen cotton silk velvet wet dry hot cold warm "
        "cool fresh ripe rotten sweet sour spicy delicious raw cooked baked fried roasted happy sad angry "
        "sleepy tired hungry cute beautiful ugly pretty handsome elegant fancy simple fat slim heavy "
        "strong weak brave friendly scary spooky magic magical mysterious strange weird funny silly "
        "different same similar identical matching other single double triple broken cracked sharp blunt "
        "curved bent straight tilted folded stacked striped spotted polka-dot polka-dotted floral plaid "
        "transparent translucent opaque reflective glossy matte foggy sunny cloudy rainy snowy windy stormy "
        "starry sandy dusty muddy grassy rocky icy frozen burning glowing sparkling shimmering sleeping "
        "flying running swimming dancing smiling laughing crying standing sitting parked floating hanging "
        "lit unlit full half whole entire upper lower left right front back top bottom nearby distant "
        "lovely majestic graceful tiny delicate rustic cozy crowded busy quiet calm peaceful lonely wild "
        "tame domestic stray male female adult electric electronic solar wireless digital mechanical "
        "professional famous royal medieval futuristic traditional tropical exotic arctic purple-ish "
        "dark-blue light-blue stuffed decorative ornate carved painted patterned colored coloured decorated "
        "tabby calico siamese persian fallen dead alive leafy thorny spiky pointed pointy crispy creamy "
        "juicy steaming boiling melting melted sliced chopped first second third last next final more "
        "less fewer longer older younger newer darker lighter brighter good bad best nice wonderful "
        "amazing unusual common aged middle-aged elderly "
        "curly woolly wrinkly hilly smelly bubbly cuddly prickly wobbly gnarly scaly "
        "classic adorable gorgeous sleek skinny chubby plump tidy messy "
        "ready rare normal typical regular special main middle"
    )
)


def _superlatives(adjectives: frozenset[str]) -> frozenset[str]:
    """ "oldest", "shiniest", "thinnest": of short adjectives and those in "y"."""
    found: set[str] = set()
    for word in adjectives:
        if word.endswith("y"):
            found.add(word[:-1] + "iest")
        elif (
            len(word) < 7 and word.isalpha() and not word.endswith(("ed", "en", "ing", "er", "est"))
        ):
            closed = word[-1] in "bdgmnpt" and word[-2] in "aeiou" and word[-3:-2] not in "aeiou"
            found |= {word.rstrip("e") + "est", word + word[-1] + "est" if closed else word + "est"}
    return frozenset(found)


ADJECTIVES |= _superlatives(ADJECTIVES - COLOURS) - word_set("forest rest")
STATES = word_set("open closed broken cracked bent folded frozen melted torn shut stacked")
ORDINALS = word_set("first second third fourth fifth last middle")

TOGETHER = frozenset([("side", "by", "side"), ("back", "to", "back")])
MATERIAL = word_set("made out fashioned built carved crafted")


def _expanded(template: str) -> list[str]:
    """Every reading of "{to|on} the left of"."""
    parts = template.replace("}", "{").split("{")
    return [
        " ".join("".join(choice).split())
        for choice in product(
            *(part.split("|") if i % 2 else [part] for i, part in enumerate(parts))
        )
    ]


_TEMPLATES = {
    "left of": (
        "{|to |on |at |off to |toward |towards }{|the |its |their |his |her }{|far |immediate |very |direct }"
        "left{| side| hand side|-hand side| part| edge} {of|from}",
        "left to",
    ),
    "right of": (
        "{|to |on |at |off to |toward |towards }{|the |its |their |his |her }{|far |immediate |very |direct }"
        "right{| side| hand side|-hand side| part| edge} {of|from}",
        "right to",
    ),
    "above": (
        "{|high |far |just |directly |right |straight }{above|over}", "higher than", "higher up than",
        "above of", "over the top of",
    ),
    "below": (
        "{|just |directly |right |far |straight }{below|under|underneath|beneath}", "lower than", "under neath",  # noqa: E501
        "underneath of", "{on|at} {the |}bottom{| side} of", "on the underside of", "below of",
    ),
    "on": (
        "{on|onto|upon|atop}", "{on|at} {the |}top{| side} of", "on the back of", "up on", "atop of",
        "on the {surface|roof|hood|lid|edge} of", "from {the |}{top|roof} of", "from atop",
    ),
    "inside": (
        "{in|inside|within|into}", "inside of", "out of", "{in|at} the {middle|center|centre|inside} of",
        "in side of",
    ),
    "next to": (
        "{|right |directly |just }{next to|beside|by|near|alongside}", "{very |}close to", "closely to",
        "adjacent to", "along", "{by|on|at|to} {the |one |either |}side{| of}", "{on|to} side of",
        "nearby to",
        "near to", "next door to", "in the vicinity of", "against", "up against", "at", "next",
    ),
    "near": (
        "opposite", "opposite of", "across from", "along with", "together with", "accompanied by",
        "followed by", "facing", "toward", "towards", "to", "past", "among", "amongst", "amid", "amidst",
        "through",
        "across", "from", "around", "down", "up", "off", "beyond", "via", "outside", "outside of", "after", "for",  # noqa: E501
        "against the backdrop of", "as", "about", "pulled by", "pushed by", "chased by", "flanked by",
        "surrounded by", "like", "in line with", "during", "not far from", "far from", "away from",
    ),
    "in front of": (
        "{|right |directly |just }in {the |}front of", "at the front of", "infront of", "ahead of", "before",
    ),
    "behind": ("{|right |directly |just }behind", "in {the |}back of", "at the {back|rear} of", "hidden by"),
    "between": ("{|in |right |squeezed |sandwiched }between", "in the middle between"),
    "around": ("around", "all around", "surrounding", "encircling", "in a circle around"),
}  # fmt: skip

INVERSE = frozenset({"surrounded by", "flanked by", "hidden by"})


def _relation_table() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Relations by their first word, longest first."""
    table: dict[str, dict[tuple[str, ...], str]] = {}
    for predicate, templates in _TEMPLATES.items():
        for template in templates:
            for phrase in _expanded(template):
                words = tuple(phrase.split())
                table.setdefault(words[0], {})[words] = predicate
    return {w: sorted(t.items(), key=lambda e: -len(e[0])) for w, t in table.items()}


RELATION_TABLE = _relation_table()
PREPOSITIONS = frozenset(RELATION_TABLE) - {
    "left",
    "right",
    "high",
    "far",
    "just",
    "directly",
    "hidden",
    "not",
    "away",
}
SUPERLATIVE_PLACES = {
    "left": "left", "right": "right", "top": "top", "bottom": "bottom", "upper": "top", "lower": "bottom",
    "middle": "middle", "center": "middle", "centre": "middle", "foreground": "bottom",
    "background": "top", "leftmost": "left", "rightmost": "right", "left-hand": "left",
    "right-hand": "right", "front": "bottom", "back": "top",
}  # fmt: skip
