"""Kinds of things: how large they are, in which shape, and what they can do for others.

Sizes are sides of a square of the thing's area when a few things share a picture. They keep the order
of real sizes and compress it: a mouse beside an elephant must still be seen.
"""

from situ.planners import kinds
from situ.planners.inventory import THINGS
from situ.planners.places import PLACES
from situ.planners.plurals import ALWAYS_PLURAL, ENDS_IN_S, IRREGULAR, SAME
from situ.planners.symbols import Size
from situ.planners.uses import CONTAINERS, SURFACES, WEARABLE
from situ.planners.verb_forms import word_set

# side, width over height, names
_SIZES = (
    (0.10, 1.0, "ant bee fly ladybug coin button key ring pearl bead nut berry blueberry cherry grape pea "
     "dice die marble pill seed pebble raindrop snowflake bug mosquito spider earring screw nail"),
    (0.11, 2.6, "pencil pen crayon marker chopstick match toothbrush needle paintbrush screwdriver"),
    (0.13, 2.4, "fork knife spoon comb corkscrew spatula ladle wrench razor chalk scissors bone carrot feather "  # noqa: E501
     "whisk pliers banana glasses sunglasses tie leaf fish_bone stick wand cigar ski skis"),
    (0.15, 1.0, "ball apple orange lemon lime peach pear plum tomato potato onion egg strawberry mushroom "
     "walnut donut doughnut cookie biscuit cupcake muffin bagel orange star rose daisy tulip flower sunflower "  # noqa: E501
     "dandelion butterfly moth dragonfly snail frog toad crab shell seashell mouse hamster "
     "chick duckling watch compass yo-yo baseball kiwi avocado heart medal badge bulb button "
     "snowball gosling cricket goldfish pawn dart puck acorn pinecone coconut shuttlecock "
     "diamond gem mango sandwich "
     "taco slipper sock glove mitten camera clock remote phone smartphone mobile cellphone radio alarm"),
    (0.16, 0.6, "cup_of_tea candle wine_glass glass can jar shaker lipstick battery flashlight "
     "lightbulb salt pepper parfum ice_cream icecream lighter cell_phone bottle_cap tooth carafe"),
    (0.17, 0.4, "bottle vase_bottle thermos rocket_toy flask beer_bottle wine_bottle bowling_pin "
     "hourglass candlestick"),
    (0.17, 1.05, "cup mug bowl teacup teapot pot kettle saucer bird sparrow robin parrot canary crow raven "
     "seagull gull pigeon dove hummingbird owl duck hen chicken rooster squirrel rabbit bunny "
     "kitten puppy hedgehog rat lizard turtle tortoise hat cap crown helmet shoe boot sneaker "
     "purse wallet toy doll book notebook soccer_ball football basketball volleyball "
     "tennis_ball bell cake pie burger hamburger hotdog hot_dog salad bread toast pineapple "
     "cabbage lettuce broccoli pumpkin cauliflower cube sphere cone cylinder pyramid block "
     "brick calculator stapler trophy drum tambourine bucket basket lantern iron toaster "
     "blender helicopter_toy mask scarf bowtie croissant cactus pinwheel gift present box jewel "
     "globe skull bat crystal scale magnet frisbee joystick microphone paddle penguin_toy "
     "napkin letter envelope card postcard starfish jellyfish octopus "
     "shrimp lobster nest peach_pie drone plate dish disc disk coffee_mug"),
    (0.20, 1.9, "keyboard shoe_rack wine_rack skateboard sandwich_board tray baguette trumpet flute "
     "lizard snake crocodile_toy fish shark_toy rolling_pin hammer saw axe sword gun "
     "umbrella_stand caterpillar worm salmon baseball_bat tennis_racket racket violin sausage "
     "shoes sheet newspaper "
     "magazine paper wine_bottle_rack clothes ruler branch mouse_pad pillow"),
    (0.20, 1.0, "spinning_top"),
    (0.38, 4.0, "washing_line clothes_line clothesline"),
    (0.22, 1.3, "chess_set tea_set train_set dinner_set drum_set drum_kit nesting_doll"),
    (0.38, 1.1, "bus_stop fruit_stand lemonade_stand newspaper_stand pedestrian_crossing swing_set "
     "taxi_stand zebra_crossing"),
    (0.22, 1.0, "backpack bag handbag suitcase briefcase chest crate basket_ball helmet lamp fan laptop "
     "printer radio_set television tv monitor computer microwave screen microphone_stand "
     "teddy_bear teddy toy_car cushion pizza turkey watermelon wreath wheel tire vase bouquet "
     "plant potted_plant flowerpot pot_plant balloon kite umbrella parasol butterfly_net flag "
     "sign stop_sign guitar_case bird_cage birdcage cage aquarium fishbowl gramophone "
     "typewriter skeleton_head painting poster picture photo photograph portrait map mirror "
     "window shirt t-shirt dress jacket coat sweater skirt jeans pants shorts cape apron towel "
     "blanket cloth cat fox raccoon beaver otter monkey koala lamb goat_kid piglet pig swan "
     "goose turkey_bird peacock eagle hawk falcon vulture pelican flamingo penguin seal puffin "
     "sloth lemur meerkat badger skunk cub kitten_pair stroller wagon wheelbarrow cart stool "
     "easel barrel trash_can bin mailbox hydrant fire_hydrant harp_toy planet lily_pad lilypad "
     "rock stone sink microscope telescope saxophone guitar cello cloud sun moon gargoyle "
     "snowman scarecrow_hat bust robot_toy drone_toy bonsai bush shrub roof_tile door_mat"),
    (0.26, 0.45, "guitar lamp_post streetlight street_lamp floor_lamp traffic_light streetlamp "
     "parking_meter pole lamppost coat_rack skis_pair flagpole ladder broom cactus_plant totem "
     "surfboard snowboard rocket harp rifle spear"),
    (0.30, 1.1, "dog wolf deer sheep goat ram pony donkey calf kangaroo lion_cub leopard cheetah panther "
     "hyena tiger_cub panda emu ostrich chair armchair bicycle bike scooter tricycle motorcycle "
     "motorbike desk_chair throne bench tent campfire fire fireplace piano fountain statue "
     "sculpture swing table desk nightstand dresser cabinet drawer drawers oven stove "
     "dishwasher washing_machine washer fridge carpet_roll coffee_table rug carpet mat igloo "
     "sleigh sled canoe kayak rowboat raft boat sailboat dolphin shark seal_lion turtle_shell "
     "octopus_toy squid surfer skateboarder cyclist rider "
     "grill barbecue hammock slide seesaw scarecrow wardrobe_box counter shelf windowsill toilet bathtub tub"),  # noqa: E501
    (0.34, 0.5, "person man woman boy girl child kid baby toddler people guy lady gentleman chef cook waiter "
     "waitress barista doctor nurse teacher student farmer soldier policeman officer fireman firefighter astronaut pirate "  # noqa: E501
     "cowboy king queen prince princess knight wizard witch clown dancer ballerina singer "
     "musician artist painter player athlete runner swimmer skier snowboarder fisherman hunter "
     "worker builder businessman businesswoman bride groom mother father mom dad sister brother "
     "grandmother grandfather friend tourist monk nun santa elf fairy mermaid ghost zombie "
     "vampire skeleton robot alien angel "
     "superhero ninja samurai viking statue_man mannequin refrigerator door bookshelf bookcase wardrobe closet "  # noqa: E501
     "phone_booth grandfather_clock vending_machine jogger magician pilot sailor scientist "
     "singer_girl "
     "figure stick_figure teenager couple adult crowd driver shepherd judge vendor photographer"),
    (0.38, 1.35, "horse cow bull ox buffalo bison zebra camel lion tiger bear polar_bear moose elk donkey_cart "  # noqa: E501
     "reindeer unicorn crocodile alligator walrus gorilla llama alpaca antelope car taxi cab "
     "jeep van carriage tractor sofa couch bed loveseat pool_table dining_table sleigh_ride "
     "jet_ski ambulance "
     "minivan limousine racecar golf_cart orca snowmobile fence wall hedge pond stage"),
    (0.46, 1.6, "elephant rhino rhinoceros hippo hippopotamus whale dinosaur dragon truck bus train tram "
     "locomotive fire_truck airplane plane jet aeroplane helicopter ship yacht submarine ferry "
     "cargo_ship excavator bulldozer crane caravan trailer spaceship spacecraft ufo blimp "
     "bridge iceberg island "
     "hot_air_balloon bakery cafe shop store counter_top pickup school_bus rainbow hill stadium"),
    (0.48, 0.7, "giraffe tree oak pine palm palm_tree apple_tree christmas_tree lighthouse tower windmill skyscraper "  # noqa: E501
     "waterfall rocket_ship statue_of_liberty clock_tower ferris_wheel volcano obelisk totem_pole"),
    (0.48, 1.1, "house building castle church temple barn cabin hut cottage palace mansion mosque school "
     "hospital factory farmhouse shrine garage museum hotel mountain pyramid_of_giza tent_camp "
     "gate arch "
     "greenhouse shed stable library_building treehouse warehouse station gazebo"),
)  # fmt: skip


def _sizes() -> dict[str, Size]:
    table: dict[str, Size] = {}
    for side, aspect, names in _SIZES:
        size = side * aspect**0.5, side / aspect**0.5
        for name in names.split(" "):
            if name.strip():
                table.setdefault(name.replace("_", " "), size)
    for one, names in _LIKE.items():
        for name in sorted(names):
            table.setdefault(name, table[one])
    return table


# Kinds that are about as large as one that is listed.
_LIKE = {
    "dog": kinds.DOGS, "sparrow": kinds.BIRDS, "goldfish": kinds.FISHES, "bee": kinds.INSECTS,
    "rose": kinds.FLOWERS, "oak": kinds.TREES, "apple": kinds.FRUITS, "potato": kinds.VEGETABLES,
    "car": kinds.CARS, "truck": kinds.TRUCKS, "sailboat": kinds.BOATS,
}  # fmt: skip


SIZES = _sizes()
# What shapes differ from the rest of their group; width over height.
_ASPECTS = {
    "fish": 1.5, "goldfish": 1.5, "boat": 1.05, "sailboat": 0.9, "car": 1.6, "tree": 0.75, "flower": 0.72, "cat": 1.05,  # noqa: E501
    "balloon": 0.62, "kite": 0.72, "rocket": 0.62, "butterfly": 1.15, "hat": 1.2, "bird": 1.25, "table": 1.5,
    "desk": 1.5, "bench": 1.8, "rug": 2.2, "carpet": 2.2, "mat": 2.2, "shelf": 2.6, "windowsill": 3.0,
    "counter": 2.2, "plate": 1.8, "dish": 1.8, "saucer": 1.8, "bed": 1.5, "fence": 2.4, "wall": 2.4, "cloud": 1.8,  # noqa: E501
    "chair": 0.75, "laptop": 1.3, "television": 1.5, "tv": 1.5, "monitor": 1.3, "tray": 2.4, "hammock": 2.2,
    "bicycle": 1.5, "motorcycle": 1.5, "lamp": 0.6, "vase": 0.6, "door": 0.5, "swing": 0.8, "stool": 0.7,
    "coffee table": 1.9, "stove": 0.9, "rug_": 2, "lily pad": 2.2, "ladder": 0.4, "bookshelf": 0.65,
    "cape": 0.7, "dress": 0.7, "pond": 2.4, "branch": 3.0, "scarf": 1.6, "blanket": 1.6, "pillow": 1.5,
    "nightstand": 0.9, "piano": 1.3, "umbrella": 1.0, "snowman": 0.7, "pizza": 1.4, "cabinet": 0.9,
}  # fmt: skip
OTHER: Size = (0.25, 0.25)

STORYBOOK = word_set(
    "ball star heart house tree fish boat car mushroom flower umbrella cup cat bird balloon kite "
    "rocket butterfly apple hat"
)

EXTRA_NOUNS = word_set(
    "well drink liquid eraser rubber speaker cushion sharpener tape glue envelope clipboard "
    "crescent croissant bread croissants frame bedspread hair dry drier teddy hood roof chimney "
    "wing tail ear eye nose mouth hand foot leg arm head body face beard mustache smile horn "
    "tusk trunk fur mane paw beak petal stem wire rope chain string ribbon bandana necklace "
    "bracelet headphones headset goggles uniform costume suit robe gown kimono hoodie vest belt "
    "gloves mittens socks shoes boots sandals pajamas headband veil wig turban tiara bonnet "
    "beret cloak armor jersey swimsuit bikini bowl soup tea coffee milk juice wine beer water "
    "cheese rice pasta noodles sushi steak bacon fruit vegetable food meal snack candy "
    "chocolate ice sand pan racquet glove controller oven cow bulls horses broccoli fries "
    "burrito pancake waffle cereal yogurt jam honey butter sauce oil bamboo hay straw wood log "
    "timber tile magazine stack comic album furniture container package parcel luggage trolley "
    "sculpture figurine ornament decoration wreath chandelier curtain blinds tapestry clipboard "
    "folder chart board whiteboard blackboard chalkboard tablet speaker cable charger lens "
    "tripod projector antenna satellite engine motor gear tool toolbox bolt drill shovel rake "
    "hose sprinkler lawnmower pitchfork lightning tornado comet meteor asteroid galaxy nebula "
    "orb portal treasure map gem bus steps stairs staircase railing balcony porch pier dock "
    "buoy anchor net oar wheelchair crutch cane bandage syringe stethoscope pillbox soap "
    "shampoo sponge toothpaste perch perches magazine sail mast window curtain trunk mother's "
    "pedestal podium altar platform stand rack hook peg hanger trapeze trampoline cliff ledge "
    "canopy awning tarp sack pouch toy crib cradle playpen dollhouse puppet puzzle chess "
    "chessboard domino card keychain locket coin penny bill lute banjo ukulele accordion "
    "harmonica xylophone trombone tuba clarinet oboe organ gong cymbal maraca ice-cream "
    "popsicle lollipop pretzel popcorn nacho omelette dumpling kebab curry stew grizzly family "
    "belly jelly holly doily dolly lolly brolly gully filly bully ally assembly sandcastle "
    "snowdrift boulder stump twig reed vine ivy fern moss seaweed coral cattail wheat corn "
    "cornfield reef hotdog truck semi lorry cyclops centaur phoenix griffin pegasus kraken yeti "
    "troll goblin ogre dwarf giant wizardry mailman postman lifeguard referee goalkeeper coach "
    "diver climber hiker camper traveler passenger bartender butcher baker barber tailor "
    "carpenter plumber mechanic electrician engineer lawyer secretary librarian cashier janitor "
    "gardener lumberjack miner sheriff bull mule hare mole vole ferret weasel mink chipmunk "
    "porcupine armadillo anteater tapir okapi gazelle impala jackal coyote lynx bobcat cougar "
    "puma jaguar ocelot warthog boar platypus wombat chameleon iguana gecko python cobra viper "
    "salamander newt tadpole eel ray stingray tuna trout cod seahorse urchin clam oyster mussel "
    "barnacle krill prawn crayfish beetle wasp hornet grasshopper locust mantis termite flea "
    "tick louse cockroach centipede scorpion tarantula swallow finch wren magpie woodpecker "
    "kingfisher heron stork crane ibis albatross quail pheasant grouse partridge cockatoo macaw "
    "toucan cormorant condor osprey kestrel lark nightingale cuckoo mallard drake vehicle "
    "automobile sedan suv convertible coupe wagon lorry trolleybus monorail subway gondola "
    "hovercraft glider brush blossom bow cubicle mustard ketchup post slope cigarette shower "
    "roadway backdrop biplane parachute paraglider zeppelin scooter moped segway rollerblade"
)

PEOPLE = (
    frozenset(
        name
        for side, aspect, names in _SIZES
        if (side, aspect) == (0.34, 0.5)
        for name in names.replace("_", " ").split()
    )
    - word_set(
        "refrigerator door bookshelf bookcase wardrobe closet phone booth vending machine clock "
        "mannequin statue stick"
    )
    | kinds.FOLK
    | word_set(
        "android assistant bassist batter bishop bowler catcher cousin cyborg drummer dwarf giant gladiator "
        "falconer geographer gnome goblin grandparent grocer hero hunter jester mayor mime ogre "
        "peddler pitcher servant skeleton spy steward stonemason trader thief troll villain"
    )
)
ANIMALS = kinds.CREATURES | word_set(
    "animal bird cat cattle dinosaur dog doll donkey dragon fish horse figurine mannequin "
    "puppet statue puppy scarecrow sheep snowman teddy unicorn"
)
VEHICLES = word_set("train bus car truck boat airplane tram bicycle")
ANIMATE = PEOPLE | ANIMALS
SKY = word_set(
    "sun moon star cloud bird kite balloon airplane plane jet aeroplane helicopter rainbow blimp "
    "ufo drone spaceship spacecraft butterfly bee dragonfly eagle hawk seagull rocket comet "
    "planet"
)
# Parts that have a place of their own, and parts that stay words of the phrase.
PLACED_PARTS = word_set(
    "door window wheel chimney roof clock flag sail sign handle button steeple spire dome "
    "turret balcony shutter awning bumper headlight headlights mast"
)
WITH_PARTS = frozenset(
    name
    for side, aspect, names in _SIZES
    if (side, aspect) in ((0.48, 1.1), (0.46, 1.6), (0.48, 0.7), (0.38, 1.35))
    for name in names.replace("_", " ").split()
) - ANIMATE | frozenset(["tower", "wall", "bicycle", "cart", "wagon"])
WORD_PARTS = word_set(
    "head talon hoof braid dimple dreadlock goatee mohawk moustache pigtail ponytail scar "
    "stubble tattoo wrinkle hair tail ear eye nose mouth leg arm body face beard mustache smile "
    "horn tusk trunk fur mane paw beak petal stem leaf branch stripe spot dot pattern wing "
    "feather skin bite hole crack dent stain scratch antler whisker lid rim expression background "
    "color colour design print logo text word scale hump feet teeth tooth tongue freckle shell "
    "shade frosting icing topping sprinkle cherry_top"
)
BODY = WORD_PARTS | word_set(
    "head back shoulder neck lap face foot leg tail body nose ear eye hand paw chin chest arm "
    "knee hip claw jaw waist cheek finger wrist ankle forehead toe brow thigh elbow throat palm "
    "tummy belly muscle lip"
)
PLANT_PARTS = word_set("leaf branch petal stem flower")
LOOSE_PARTS = word_set("feather horn shell tooth whisker")  # what is not always on a body
REGIONS = word_set(
    "top back front side edge corner middle center centre end inside outside hood surface foot "
    "bottom base arm tip shoulder lap head rim roof left right rear shade trunk hand lid branch "
    "branches limb mouth shoulders arms hands peak summit crest face shore bank part seat"
)
# "a slice of cake" is one thing. The first are containers or portions, the others show something.
PORTIONS = word_set(
    "bowl cup glass bottle plate slice piece block vase bouquet sheet jar can box bag basket "
    "stack coil pile loaf bar pot tray bucket carton pitcher mug crate tub scoop drop cube pack bundle "
    "heap bale roll tin tube chunk stick pint basin packet jug keg barrel sack wedge strip string "
    "bed ball field cone"
)
DEPICTIONS = word_set(
    "statue painting picture photo photograph portrait drawing map model sculpture poster"
)
NON_THINGS = word_set(
    "rain snow fog mist sunlight moonlight shade shadow light darkness wind air weather day "
    "morning evening afternoon noon dawn dusk time way fun love peace joy happiness style mood "
    "quality soccer football_game game work rest motion action daylight winter summer spring "
    "autumn fall background foreground distance view water mid-air midair space place area "
    "color colour size shape kind type sort thing things number amount total order half rows "
    "row_of nothing everything anything something nobody none no-one someone music lunch dinner "
    "breakfast sight company look action air sleep nature life fashion reflection silence "
    "harmony traffic left right top bottom side front line circle lines pairs sun_light ones "
    "other others each more less row circle line picnic party conversation meeting chat wedding "
    "concert contest trick stunt lesson trip journey adventure holiday vacation birthday meal "
    "feast speech wish nap break horseback missing group pair order grid formation pattern "
    "chess homework hide-and-seek catch sunshine atmosphere steam rainwater ambience "
    "candlelight lamplight firelight starlight torchlight glory unison detail details direction "
    "ride walk swim nap bath movement pose height depth width length manner beauty lot lots fur"
)
DIMENSIONS = word_set(  # "candles of different heights"
    "height size color colour shape kind type sort age length width breed flavor flavour style "
    "variety shade weight pattern design"
)
MATERIALS = word_set(
    "glass wood metal stone brick gold silver plastic paper clay steel iron marble ice bronze "
    "leather wool cotton silk straw cardboard crystal concrete chocolate snow sand candy cheese "
    "chrome felt brass denim porcelain linen wicker granite aluminum aluminium foil"
)
KNOWN = (
    frozenset(SIZES)
    | EXTRA_NOUNS
    | THINGS
    | ANIMATE
    | WEARABLE
    | CONTAINERS
    | SURFACES
    | PORTIONS
    | DEPICTIONS
    | ENDS_IN_S
    | SAME
    | kinds.PLANTS
    | kinds.CARS
    | kinds.TRUCKS
    | kinds.BOATS
    | kinds.INSTRUMENTS
    | PLACED_PARTS
    | WORD_PARTS
)
NAMED = KNOWN | PLACES | NON_THINGS | REGIONS | MATERIALS


def singular(word: str) -> str:
    """One of "mice", "glasses" or "benchs"; a word that is no plural comes back as it is."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in SAME or word in ALWAYS_PLURAL or word in ENDS_IN_S or not word.endswith("s"):
        return word
    if word[:-1] in KNOWN or word[:-1] in ALWAYS_PLURAL:
        return word[:-1]
    if len(word) < 4 or word.endswith(("ss", "us", "is", "'s", "’s")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("es") and (
        word[:-2] in KNOWN or word.endswith(("ches", "shes", "xes", "zes", "sses", "oes"))
    ):
        return word[:-2]
    return word[:-1]


def is_plural(word: str) -> bool:
    """Whether a word can be a plural only: "mice" is, "fish" and "scissors" are not."""
    return word not in SAME and word not in ALWAYS_PLURAL and singular(word) != word


def is_known(word: str) -> bool:
    return word in NAMED or singular(word) in NAMED


def size_of(noun: str) -> Size:
    """The usual width and height of a kind, in fractions of a picture that it shares with a few others.

    The longest ending that is known decides: "toy fire truck" is a fire truck.
    """
    words = noun.split()
    for start in range(len(words)):
        name = " ".join(words[start:])
        if name in SIZES:
            return _shaped(name, SIZES[name])
    if " of " in noun:
        return size_of(noun.split(" of ")[0])
    if words and words[-1] in PEOPLE:
        return SIZES["person"]
    return OTHER


def _shaped(name: str, size: Size) -> Size:
    if name not in _ASPECTS:
        return size
    side, aspect = (size[0] * size[1]) ** 0.5, _ASPECTS[name]
    return side * aspect**0.5, side / aspect**0.5


def head(noun: str) -> str:
    """The word that names the kind: of "toy fire truck" truck, of "bowl of soup" bowl."""
    words = noun.split(" of ")[0].split()
    return _HEADS.get(" ".join(words[-2:]), words[-1]) if words else ""


_HEADS = {
    "hot dog": "hotdog",
    "teddy bear": "teddy",
    "rocking horse": "toy",
    "sea horse": "seahorse",
}
