"""Kinds within kinds: what else a thing may be called, so that "the dog" can be a golden retriever.

Each line lists kinds under the words that stand for any of them.
"""

from situ.planners.verb_forms import word_set

DOGS = word_set(
    "airedale akita basset beagle bloodhound borzoi boxer bulldog bullterrier chihuahua chow "
    "collie corgi dachshund dalmatian deerhound doberman foxhound greyhound hound husky "
    "labradoodle labrador malamute maltese mastiff mongrel mutt papillon pekingese pinscher "
    "pointer pomeranian poodle pug puppy retriever rottweiler samoyed schnauzer sheepdog spaniel "
    "terrier weimaraner whippet wolfhound"
)
CATS = word_set("kitten kitty tabby tomcat")
HORSES = word_set("colt filly foal mare mustang pony stallion steed thoroughbred")
CATTLE = word_set("bull calf cow heifer ox yak")
FARM_ANIMALS = word_set("ewe goat hog lamb mule pig piglet ram sow")
BIRDS = word_set(
    "albatross blackbird bluebird bluejay budgerigar budgie buzzard canary cardinal chaffinch "
    "chick chickadee chicken cockatiel cockatoo cockerel condor cormorant crow cuckoo dove drake "
    "duck duckling eagle egret emu falcon finch flamingo goldfinch goose gosling grouse gull hawk "
    "hen heron hoopoe hornbill hummingbird ibis jackdaw jay kestrel kingfisher kookaburra lapwing "
    "linnet loon lovebird macaw magpie mallard mockingbird nightingale nuthatch oriole osprey "
    "ostrich owl owlet parakeet parrot partridge peacock peahen pelican penguin pheasant pigeon "
    "plover ptarmigan puffin quail raven roadrunner robin rook rooster sandpiper seagull skylark "
    "sparrow spoonbill starling stork swan tern thrush tit titmouse toucan turkey vulture wagtail "
    "warbler waxwing weaverbird woodcock woodpecker wren"
)
FISHES = word_set(
    "anchovy angelfish barracuda bass carp catfish clownfish cod eel flounder goldfish grouper "
    "guppy haddock halibut herring koi mackerel manta minnow perch pike piranha pufferfish ray "
    "salmon sardine shark snapper stingray sturgeon swordfish tilapia trout tuna"
)
SEA_ANIMALS = word_set(
    "beluga crab crayfish cuttlefish dolphin dugong jellyfish lobster manatee narwhal octopus "
    "orca otter oyster porpoise prawn seahorse seal shrimp squid starfish walrus whale"
)
INSECTS = word_set(
    "ant bee beetle bumblebee butterfly caterpillar centipede cicada cockroach cricket dragonfly "
    "firefly fly grasshopper honeybee hornet ladybird ladybug locust mantis mosquito moth scarab "
    "scorpion slug snail spider tarantula termite wasp weevil worm"
)
REPTILES = word_set(
    "adder alligator anaconda boa bullfrog chameleon cobra crocodile frog gecko iguana lizard "
    "newt python rattlesnake salamander serpent skink snake terrapin toad tortoise treefrog "
    "turtle viper"
)
WILD_ANIMALS = word_set(
    "aardvark alpaca anteater antelope ape armadillo axolotl baboon badger bat bear beaver "
    "bison boar bobcat bonobo buffalo bunny bunting camel capybara caribou cassowary cheetah "
    "chicklet chimp chimpanzee chinchilla chipmunk cougar coyote cub cygnet deer dingo doe "
    "dormouse dromedary elephant elk fawn ferret fieldmouse fox gazelle gerbil gibbon giraffe "
    "gnat gnu gopher gorilla groundhog hamster hare hatchling hedgehog hippo hippopotamus hyena "
    "ibex impala jackal jaguar joey kangaroo koala lark lemming lemur leopard leveret lion "
    "lioness llama lynx mammoth marmoset marmot marten meerkat minotaur mole mongoose monkey "
    "moose mouse muskrat nautilus nestling ocelot okapi opossum orangutan oryx panda pangolin "
    "panther platypus porcupine possum puma rabbit raccoon raptor rat reindeer rhino rhinoceros "
    "scallop shrew skunk sloth springbok squab squirrel stag stoat sunfish swallow tapir tiger "
    "tigress tyrannosaurus vixen vole wallaby warthog weasel wildebeest wolf wolverine wombat "
    "woodchuck zebra"
)
MEN = word_set(
    "boy boyfriend bridegroom brother businessman caveman cowboy dad daddy duke emperor father "
    "fireman fisherman gentleman grandfather grandpa groom guy husband king lad lord mailman man "
    "monk nephew papa policeman postman prince salesman son uncle waiter wizard"
)
WOMEN = word_set(
    "actress aunt ballerina bride businesswoman countess cowgirl daughter duchess empress "
    "fisherwoman girl girlfriend grandma grandmother granny heroine hostess housewife lady lass "
    "maid mama mermaid mom mother mum mummy niece nun policewoman princess queen saleswoman "
    "seamstress sister waitress wife witch woman"
)
CHILDREN = word_set(
    "baby boy child daughter girl grandchild infant kid nephew newborn niece preschooler pupil "
    "schoolboy schoolgirl son student teen teenager toddler twin youngster"
)
TRADES = word_set(
    "accountant acrobat actor adult adventurer alchemist ambassador angler announcer apprentice "
    "archaeologist archer architect artisan astronaut astronomer athlete author aviator bailiff "
    "baker bandit banker barber bard barista barmaid bartender beekeeper beggar bellboy biker "
    "biologist blacksmith boatman bodyguard bookseller boxer bricklayer bridesmaid bugler "
    "burglar busboy busker butcher butler caddie caddy cadet cameraman camper candlemaker "
    "captain cardiologist carer caretaker carpenter cartoonist cashier caterer cellist "
    "chauffeur cheerleader chef chemist choirboy cleaner clerk climber clown coach cobbler "
    "collector colonel comedian commander commuter composer concierge conductor conjurer "
    "convict cook cop courier cowhand craftsman cricketer criminal curator customer cyclist "
    "dancer deckhand dentist designer detective diplomat diver dj doctor dressmaker druid "
    "drummer elder electrician engineer executive explorer farmer fencer ferryman firefighter "
    "fishmonger flagbearer florist flutist footballer foreman gambler gardener geisha genie "
    "geologist glassblower goalie goalkeeper goatherd goldsmith golfer governor granddaughter "
    "grandson greengrocer guard guest guide guitarist gunman gunslinger gymnast hairdresser "
    "handyman hangman harlequin harpist healer hermit hiker hippie hitchhiker huntress "
    "innkeeper inspector inventor janitor jeweler jockey jogger journalist juggler kayaker "
    "knight knitter landlord laundress lawyer lecturer librarian lifeguard locksmith logger "
    "lumberjack magician maiden manager mapmaker marathoner mason masseur matador mechanic "
    "merchant messenger midwife milkmaid milkman miller miner minister minstrel monk "
    "motorcyclist mountaineer mourner mugger musician nanny navigator neighbor neighbour "
    "newsreader nobleman novelist nurse oarsman officer optician oracle organist outlaw owner "
    "pageboy painter paramedic paratrooper parent passenger pastor patient patrolman pawnbroker "
    "peasant pedestrian pensioner pharaoh pharmacist philosopher photographer physician pianist "
    "pilgrim pilot pirate player ploughman plumber poet policeman politician porter postwoman "
    "potter preacher priest princess prisoner professor programmer prophet puppeteer "
    "quarterback rabbi racer rancher ranger rapper receptionist referee refugee repairman "
    "reporter rescuer retiree rider roofer rower sage sailor salesman salesperson samurai "
    "saxophonist scholar schoolteacher scientist scout scribe sculptor seller senator sentry "
    "shaman sharpshooter shepherd sheriff shoemaker shopkeeper shopper sibling singer "
    "skateboarder skater skier skydiver smuggler snorkeler snowboarder soldier sorcerer "
    "sorceress spaceman spectator sprinter squire stableboy stewardess stranger student "
    "stuntman stuntwoman stylist sultan superheroine supervisor surfer surgeon surveyor swimmer "
    "swordsman tailor taxidermist teacher teammate technician tenor thug toreador tourist "
    "trainer trapper traveler traveller troubadour trumpeter tutor tycoon umpire usher valet "
    "vendor ventriloquist vet veteran veterinarian vicar vigilante villager violinist visitor "
    "waiter waitress walker wanderer warden warlock warrior washerwoman watchmaker watchman "
    "weatherman weaver weightlifter welder werewolf widow windsurfer woodcutter woodsman worker "
    "worshipper wrestler writer yogi youth zookeeper"
)
FLOWERS = word_set(
    "anemone aster azalea begonia bluebell buttercup camellia carnation chrysanthemum crocus "
    "daffodil dahlia daisy dandelion forget-me-not freesia fuchsia gardenia geranium gladiolus "
    "hibiscus hyacinth hydrangea iris jasmine lavender lilac lily lotus magnolia marigold "
    "narcissus orchid pansy peony petunia poinsettia poppy primrose rhododendron rose snowdrop "
    "sunflower tulip violet wildflower"
)
TREES = word_set(
    "acacia alder aspen bamboo baobab beech birch cedar chestnut conifer cypress elm eucalyptus "
    "fir hawthorn hazel hemlock juniper larch linden maple oak palm pine poplar redwood rowan "
    "sequoia spruce sycamore willow yew"
)
FRUITS = word_set(
    "apple apricot avocado banana berry blackberry blackcurrant blueberry cantaloupe cherry "
    "clementine coconut cranberry currant fig gooseberry grape grapefruit guava kiwi kumquat "
    "lemon lime lychee mandarin mango melon mulberry nectarine orange papaya passionfruit peach "
    "pear persimmon pineapple plum pomegranate quince raisin raspberry rhubarb strawberry "
    "tangerine watermelon"
)
VEGETABLES = word_set(
    "artichoke asparagus aubergine bean beet beetroot broccoli cabbage carrot cauliflower celery "
    "chili corn courgette cucumber eggplant garlic gourd kale leek lentil lettuce mushroom okra "
    "olive onion parsnip pea pepper potato pumpkin radish shallot spinach squash tomato turnip "
    "yam zucchini"
)
CARS = word_set(
    "cab convertible coupe hatchback jeep limousine minivan racecar roadster sedan taxi"
)
TRUCKS = word_set("dumper forklift lorry pickup van")
BOATS = word_set(
    "barge canoe catamaran cruiser dinghy ferry gondola kayak lifeboat motorboat paddleboat punt "
    "raft rowboat sailboat schooner skiff speedboat steamboat trawler tugboat yacht"
)
VEHICLES = (
    CARS
    | TRUCKS
    | BOATS
    | word_set(
        "airplane ambulance bicycle bike boat bulldozer bus car carriage cart excavator "
        "helicopter locomotive moped motorbike motorcycle plane rocket scooter segway ship sled "
        "sleigh snowmobile spaceship tractor train tram tricycle truck unicycle wagon"
    )
)
INSTRUMENTS = word_set(
    "accordion bagpipes banjo bassoon bugle cello clarinet drum fiddle flute guitar harmonica "
    "harp keyboard lute lyre mandolin oboe organ piano piccolo saxophone tambourine trombone "
    "trumpet tuba ukulele viola violin xylophone"
)

CREATURES = (
    DOGS | CATS | HORSES | CATTLE | FARM_ANIMALS | BIRDS | FISHES | SEA_ANIMALS | INSECTS | REPTILES
    | WILD_ANIMALS
)  # fmt: skip
FOLK = MEN | WOMEN | CHILDREN | TRADES
PLANTS = FLOWERS | TREES | FRUITS | VEGETABLES

_ADULTS = FOLK - CHILDREN
CALLED: dict[str, frozenset[str]] = {
    "dog": DOGS, "hound": DOGS, "pup": DOGS, "cat": CATS, "feline": CATS | {"cat"}, "horse": HORSES,
    "cow": CATTLE, "bird": BIRDS, "fish": FISHES, "insect": INSECTS, "bug": INSECTS, "reptile": REPTILES,
    "snake": word_set("adder anaconda boa cobra python rattlesnake serpent viper"),
    "monkey": word_set("ape baboon chimp chimpanzee gibbon gorilla orangutan"),
    "bear": frozenset({"panda", "grizzly"}), "rabbit": word_set("bunny hare"), "duck": word_set(
        "drake mallard"
    ),
    "animal": CREATURES, "creature": CREATURES, "pet": CREATURES, "beast": CREATURES,
    "man": (MEN | _ADULTS) - WOMEN, "woman": (WOMEN | _ADULTS) - MEN, "child": CHILDREN, "kid": CHILDREN,
    "boy": CHILDREN - WOMEN, "girl": CHILDREN - MEN, "person": FOLK | {"man", "woman"},
    "flower": FLOWERS, "bloom": FLOWERS, "blossom": FLOWERS, "tree": TREES,
    "fruit": FRUITS, "vegetable": VEGETABLES, "car": CARS, "truck": TRUCKS, "boat": BOATS, "ship": BOATS,
    "vessel": BOATS, "instrument": INSTRUMENTS,
    "vehicle": CARS | TRUCKS | word_set("bus car motorcycle train tram truck"),
    "bike": word_set("bicycle motorbike motorcycle"), "bicycle": frozenset({"bike"}),
    "motorcycle": word_set("bike motorbike scooter"),
    "plane": word_set("aeroplane airplane jet"), "airplane": word_set("jet plane"),
    "building": word_set(
        "barn cabin castle church cottage house hut mill palace skyscraper temple tower windmill"
    ),
    "house": word_set("barn cabin cottage hut mansion villa"),
    "couch": frozenset({"sofa"}), "sofa": word_set("couch settee"),
    "rug": word_set("carpet mat"), "carpet": frozenset({"rug"}),
    "seat": word_set("armchair bench chair couch sofa stool throne"),
    "chair": word_set("armchair recliner rocker stool"),
    "hat": word_set("beanie beret bonnet bowler cap fedora helmet sombrero turban"),
    "friend": CREATURES | FOLK, "character": CREATURES | FOLK, "figure": FOLK,
    "drink": word_set("beer cocktail coffee juice lemonade milk tea water wine"),
    "toy": word_set("doll puppet robot teddy yo-yo"),
}  # fmt: skip


def is_called(general: str, kind: str) -> bool:
    """May a thing of a kind be called by a more general word: a beagle "dog", a chef "man"?"""
    return kind != general and kind in CALLED.get(general, ())
