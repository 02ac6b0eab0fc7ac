"""What things can do for others: hold them, bear them, be worn or be held, or show them."""

from situ.planners import kinds
from situ.planners.verb_forms import word_set

CONTAINERS = word_set(
    "aquarium backpack bag barrel basin basket bathtub bin birdcage boat bottle bowl box bucket "
    "cabinet cage can canister car cart carton case cauldron chest closet colander container coop "
    "cradle crate crib cup cupboard dollhouse drawer dumpster dustbin fishbowl flowerpot freezer "
    "fridge glass goblet hamper hutch incubator jar jug kennel locker mug nest oven pail pan "
    "pitcher planter pocket pond pot pouch purse rack refrigerator rucksack sack satchel saucepan "
    "sink skillet stroller suitcase tank teacup tent terrarium tin toolbox tote trolley trough "
    "tub tumbler urn vase vat wagon wardrobe wheelbarrow wok"
)
SEATS = word_set(
    "armchair bed bench bunk chair chaise cot couch futon hammock highchair loveseat mattress pew "
    "recliner rocker saddle seat settee sofa stool swing throne wheelchair"
)
FOR_ONE = word_set("armchair chair highchair recliner rocker saddle stool swing throne wheelchair")
# What one is on, though one says "in": "in an armchair", "in the middle of the table".
ON_IN = SEATS | word_set(
    "board counter countertop desk plate platter rug saucer table tablecloth tray workbench worktop"
)
DISHES = word_set(
    "bagel biscuit bread brownie burger cake cheesecake cookie cupcake donut doughnut focaccia "
    "hamburger hotdog muffin noodles omelette pancake pasta pie pizza quiche rice risotto salad "
    "sandwich sundae taco tart toast waffle"
)
TOPPINGS = (
    kinds.FRUITS
    | kinds.VEGETABLES
    | word_set(
        "anchovy bacon basil butter candle cheese chip cream egg fork frosting ham herb honey "
        "icing jam ketchup leaf mayonnaise meat mint mustard nut olive patty pepperoni pickle "
        "salami sauce sausage seed shrimp slice sprinkle sugar syrup topping walnut whipped"
    )
)
FLAT = word_set("blanket board carpet coaster dish plate platter rug saucer sheet tray")
SURFACES = SEATS - word_set("saddle swing") | word_set(
    "altar blanket board bookshelf buffet cake carpet coaster console counter countertop credenza "
    "desk dish dresser fireplace ledge lily mantel mantelpiece nightstand ottoman pallet pedestal "
    "piano plate platform platter podium roof rug saucer sheet shelf sideboard stage table "
    "tablecloth tray wall windowsill workbench worktop"
)
TABLETOPS = (
    SURFACES
    - SEATS
    - word_set(
        "blanket board carpet fireplace ledge lily pallet piano platform podium roof rug sheet "
        "stage wall"
    )
)
CARRIERS = CONTAINERS - word_set("bathtub boat car nest pond tank tent tub wagon") | word_set(
    "arm back dish hand head leash plate platter rope saucer shoulder stick string tray"
)
EXPANSES = word_set("balcony cliff deck dune hill island lawn mountain porch raft slope")
TALL_SURFACES = frozenset(["bookshelf", "bookcase", "cabinet", "shelf", "wardrobe"])
HEADWEAR = word_set(
    "balaclava fez headdress hijab stetson trilby bandana bandanna beanie beret bonnet bowler "
    "cap crown earmuffs fedora hairband hat headband headphones headscarf helmet hood sombrero "
    "tiara turban veil visor wig"
)
FACEWEAR = word_set("eyepatch glasses goggles mask monocle spectacles sunglasses")
NECKWEAR = word_set(
    "ascot backpack bib bowtie choker collar garland kerchief lanyard lei neckerchief necklace "
    "necktie pendant rucksack "
    "scarf shawl tie"
)
FOOTWEAR = word_set(
    "boot clog heel loafer moccasin rollerblade sandal shoe skate skis slipper sneaker sock "
    "stocking trainer"
)
BODYWEAR = word_set(
    "attire clothing outfit anorak apron armor bathrobe belt bikini blazer blouse bracelet cape "
    "cardigan cloak coat costume dress dungarees earring glove gown hoodie jacket jeans jersey "
    "jumper kilt kimono leggings leotard mitten nightgown onesie overalls overcoat pajamas "
    "pants parka poncho pullover pyjamas raincoat robe sari sash shirt shorts skirt slacks "
    "smock spacesuit suit sundress suspenders sweater sweatpants sweatshirt swimsuit t-shirt toga tracksuit "
    "trousers tunic tutu tuxedo uniform vest waistcoat wetsuit wristband"
)
CLOTHS = FOOTWEAR | NECKWEAR | BODYWEAR | word_set("blanket cloth curtain quilt rug sheet towel")
WEARABLE = HEADWEAR | FACEWEAR | NECKWEAR | FOOTWEAR | BODYWEAR
DRESS = (BODYWEAR | NECKWEAR | FACEWEAR | HEADWEAR) - word_set(
    "bracelet earring glove mitten"
)  # of animals, too
HANDHELD = word_set(
    "arrow axe bag ball balloon banner basket bat baton binoculars bone book bottle bouquet bow "
    "briefcase broom brush bucket camera can candle cane chainsaw cigar cigarette clipboard club "
    "cone crutch cup doll drill drink fan fishing flag flashlight flower flute fork frisbee glass "
    "guitar gun hammer handbag hoe hose kite knife ladle lantern lasso leash letter lollipop "
    "lunchbox map marker microphone mop mug net newspaper notebook oar paddle pail paintbrush pan "
    "parasol parcel pen pencil phone pipe pistol pitchfork pole popsicle present puppet purse "
    "putter racket racquet rake remote rifle rope rose saw scepter scissors screwdriver shield "
    "shovel skateboard smartphone spatula spear spoon staff stick suitcase surfboard sword tablet "
    "teddy ticket torch trophy trumpet umbrella violin wand whip whisk wrench"
)
CARRIED = HANDHELD | kinds.INSTRUMENTS - word_set("drum harp organ piano xylophone")
# What a sentence says that they show is no thing of its own.
SCREENS = word_set(
    "banner billboard computer laptop magazine monitor newspaper painting phone photo photograph "
    "picture poster screen sign smartphone tablet television tv"
)
