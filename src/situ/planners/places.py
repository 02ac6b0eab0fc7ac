"""Words for where a scene is: they become its background, not things in it."""

from situ.planners.verb_forms import word_set

# Where something is, rather than something that is there.
PLACES = word_set(
    "meadow night sea desert snow sunset sunrise field forest woods wood jungle beach kitchen "
    "room bedroom bathroom street park city town village sky garden yard backyard lawn grass "
    "ground floor road path sidewalk pavement ocean river stream lake pond_side shore coast "
    "harbor harbour sand mud ice water rain fog storm farm zoo savanna savannah prairie pasture "
    "countryside valley canyon office classroom library restaurant store market museum hospital "
    "school airport station_hall stadium court rink playground parking lot highway runway track "
    "alley square plaza courtyard cave space universe underwater background foreground dark "
    "darkness moonlight sunlight shade distance air mountains hills spring winter summer autumn "
    "morning evening afternoon dusk dawn midnight noon christmas world moon_light wilderness "
    "swamp marsh tundra orchard vineyard greenery wild outdoors lobby hallway corridor attic "
    "basement gym cafeteria supermarket bar pub cafe patio driveway intersection crosswalk land "
    "sunshine snowstorm dunes waves surf sea_side seaside seabed seafloor ceiling meadows fields "
    "woods hillside wetland blizzard thunderstorm sandstorm hail hurricane breeze drizzle downpour mist "
    "clearing riverbank lakeside roadside rooftop marketplace barnyard farmyard schoolyard graveyard "
    "cemetery downtown suburb skyline horizon landscape scenery habitat rainforest riverside bay trail "
    "airfield battlefield campsite cornfield crossroads farmland grassland grove heath hall lagoon marina "
    "moor outback paddock quarry racetrack seafront shoreline steppe underbrush wasteland waterfront "
    "wheatfield woodland dust soil dirt gravel rubble mars venus jupiter saturn moonscape porch "
    "veranda terrace balcony area setting environment entrance doorway exit"
)
# Houses: places where one is in them, things where one is beside them.
INDOORS = word_set(
    "aisle arena auditorium ballroom bakery bank barbershop bookshop bookstore boutique café "
    "canteen casino cathedral cellar chapel church cinema clinic coffeehouse concourse "
    "conservatory diner dungeon factory foyer gallery garage greenhouse hangar hotel inn "
    "laboratory lab laundromat loft lounge mall monastery nursery observatory palace pantry penthouse "
    "pharmacy pizzeria planetarium salon sauna shop showroom station studio temple theater theatre tunnel "
    "warehouse workshop"
)
# Where one is at the start of a sentence, unless the outside is told of: "a bakery with an awning".
SHOPS = word_set(
    "bakery barbershop bookshop bookstore cafe café canteen cinema coffeehouse conservatory diner garage "
    "greenhouse hangar pharmacy pizzeria planetarium shop theater theatre warehouse"
)
OUTSIDES = word_set(
    "arch awning balcony chimney clock column dome door doorway facade flag garden gate lawn name porch "
    "roof shutter sign spire steeple step steeple terrace tower turret wall window"
)
SCENE_PLACES = word_set(
    "forest jungle kitchen room bedroom bathroom beach street park city town village garden yard "
    "meadow desert field farm sky sea ocean night sunset office classroom library restaurant zoo "
    "playground market backyard harbor valley courtyard lobby hallway attic basement savanna "
    "countryside prairie pasture landscape scenery lake river cave swamp clearing rainforest orchard "
    "vineyard airport hospital museum store supermarket gym stadium skyline lot aisle alley arena "
    "auditorium ballroom barnyard battlefield bazaar boutique cafeteria campsite canteen canyon "
    "cellar cemetery clinic concourse corridor dungeon farmyard foyer gallery graveyard grove hall "
    "hillside laboratory lab lagoon laundromat loft lounge marina marketplace marsh nursery paddock patio "
    "plaza pub quarry riverbank rooftop salon sauna savannah schoolyard seabed showroom studio "
    "swamp tundra wharf workshop woodland woods intersection crossroads corner court"
)
