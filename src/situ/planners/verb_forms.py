"""Verbs that describe pictures, in all their forms, and what some of them say about boxes."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


BASE_VERBS = word_set(
    "accompany adjust admire adorn aim appear approach arrange arrive ascend ask assemble "
    "attach attack attend await bake balance bark bask bathe beat become beg begin bend bicker "
    "bind bite bleed blend blink bloom blossom blow board boast bob boil bounce bow brace break "
    "breathe breed brew bring browse brush build bundle burn burst bury bustle buy buzz call "
    "calm camp care caress carry carve cast catch celebrate change charge chase chat cheer chew "
    "chirp chisel choose chop circle clamber clamp clap clasp clatter clean clear climb cling "
    "close cluck cluster clutch collapse collect comb come compare compete concentrate conduct "
    "connect consist contain converse cook cough count cover cower crack cradle cram crash "
    "crawl creep crochet cross crouch crowd crumble cry cuddle curl curtsy cut dance dangle "
    "dash deal decorate defend deliver depart depict descend devour dig dine dip direct "
    "disappear discover discuss display distribute dive do dodge doze drag drape draw dream "
    "dress drift drink drip drive drop drum dust eat edge embrace embroider emerge emit empty "
    "encircle engulf enjoy enter erupt escape etch examine exchange exercise exit expand "
    "explode explore extend face fall fasten feature feed feel fetch fiddle fidget fight fill "
    "find fish fit fix flank flap flash flee flick flicker fling flip float flock flow flutter "
    "fly fold follow forge forget form freeze frolic fry gallop garden gather gaze get giggle "
    "give glance glare gleam glide glimmer glisten glow glue gnaw go gobble gossip grab grasp "
    "grate graze greet grill grin grind grip groan groom grow growl guard guide gulp guzzle "
    "hammer hand handle hang happen harvest hatch haul have head hear heat help herd hibernate "
    "hide hike hit hoe hoist hold hop hover howl huddle hug hunch hunt hurl hurry hurt ignite "
    "illuminate inflate inspect install investigate invite iron jog join juggle jump kayak keep "
    "kick kiss knead kneel knit knock know ladle land latch laugh launch lay laze lead leak "
    "lean leap learn leave lecture lend let levitate lick lie lift like line listen live load "
    "look loom lose lounge love lower lug lurk make march mash massage mean measure meditate "
    "meet melt mend meow milk mingle mix moo mop mount move mow mumble munch nap narrate need "
    "neigh nest nestle nibble nod nudge nurse observe occupy offer open operate orbit outnumber "
    "overlook oversee own pack paddle paint parade park pass pause peck peek peel peer perch "
    "perform pet photograph pick pile pirouette place plant play plough plow pluck plunge point "
    "poke polish ponder pose pounce pour practice pray preach preen prepare press pretend prop "
    "protect protrude prowl prune puff pull punch push put quack quit race raise rake reach "
    "read receive recline reel reflect relax release remain remove repair rescue rest retrieve "
    "ride rip rise roam roar roast rob roll roost row rub rummage run rush rustle sail salute "
    "say scamper scare scatter scold scoop scowl scramble scrape scratch scream scrub sculpt "
    "scurry search see seek sell send separate serenade serve set settle sew shake share "
    "sharpen shave shear shed shelter shift shimmer shine shiver shoot shout shovel show shred "
    "shrink shuffle shut sigh sing sink sip sit skate skateboard sketch ski skip slam slap slay "
    "sleep slice slide slit slither slouch slump slurp smash smell smile smirk smoke snap snarl "
    "sneak sneeze sniff snooze snore snorkel snowboard snuggle soak soar somersault soothe "
    "sparkle speak speed spell spend spill spin spit splash spoil sprawl spray spread sprinkle "
    "sprint sprout squat squawk squeak squeeze squint stack stalk stamp stand stare stargaze "
    "start startle stay steal steer stick sting stir stoop stop straddle straighten strain "
    "strap stretch strew stride strike strive stroke stroll struggle strum strut study stuff "
    "stumble suck sunbathe support surf surround suspend swagger swallow swarm swat sway swear "
    "sweep swell swerve swig swim swing swirl swoop tackle take talk tap taste teach tear tease "
    "tell tend thank think throw thrust tickle tie tilt tiptoe top topple toss totter touch tow "
    "tower trail trample trap travel tread treat trek tremble trim trip trot trudge trundle "
    "tuck tug tumble turn twinkle twirl twist type unfold unload unpack untie unveil unwrap "
    "upset use vacuum vanish vault venture visit waddle wade wag wait wake walk waltz wander "
    "want warm warn wash watch water wave wear weave weep weigh welcome weld wheel whine whip "
    "whirl whisk whisper whistle whittle whiz wield wiggle win wink wipe wobble wonder work "
    "worry wrap wrestle wriggle wring write yank yawn yell yodel zip zoom"
)
# Base, past and participle of all irregular verbs above.
_IRREGULAR = (
    "arise arose arisen; awake awoke awoken; beat beat beaten; become became become; begin began "
    "begun; bend bent bent; bind bound bound; bite bit bitten; bleed bled bled; blow blew blown; "
    "break broke broken; breed bred bred; bring brought brought; build built built; burst burst "
    "burst; buy bought bought; cast cast cast; catch caught caught; choose chose chosen; cling "
    "clung clung; come came come; creep crept crept; cut cut cut; deal dealt dealt; dig dug dug; "
    "dive dove dived; do did done; draw drew drawn; dream dreamt dreamt; drink drank drunk; drive "
    "drove driven; eat ate eaten; fall fell fallen; feed fed fed; fight fought "
    "fought; find found found; flee fled fled; fling flung flung; fly flew flown; forget forgot "
    "forgotten; freeze froze frozen; get got gotten; give gave given; go went gone; "
    "grow grew grown; hang hung hung; hear heard heard; hide hid hidden; hit hit hit; "
    "hold held held; hurt hurt hurt; keep kept kept; kneel knelt knelt; know knew known; lay laid "
    "laid; lead led led; lean leant leant; leap leapt leapt; learn learnt learnt; leave left "
    "left; lend lent lent; let let let; lie lay lain; lose lost lost; make made made; mean meant "
    "meant; meet met met; mow mowed mown; put put put; quit quit quit; read read read; ride rode "
    "ridden; rise rose risen; run ran run; say said said; see saw seen; seek sought sought; sell "
    "sold sold; send sent sent; set set set; sew sewed sewn; shake shook shaken; shear sheared "
    "shorn; shed shed shed; shine shone shone; shoot shot shot; show showed shown; shrink shrank "
    "shrunk; shut shut shut; sing sang sung; sink sank sunk; sit sat sat; slay slew slain; sleep "
    "slept slept; slide slid slid; sling slung slung; slit slit slit; speak spoke spoken; speed "
    "sped sped; spell spelt spelt; spend spent spent; spill spilt spilt; spin spun spun; spit "
    "spat spat; split split split; spoil spoilt spoilt; spread spread spread; stand stood stood; "
    "steal stole stolen; stick stuck stuck; sting stung stung; stride strode stridden; strike "
    "struck stricken; strive strove striven; swear swore sworn; sweep swept swept; swell swelled "
    "swollen; swim swam swum; swing swung swung; take took taken; teach taught taught; tear tore "
    "torn; tell told told; think thought thought; throw threw thrown; thrust thrust thrust; tread "
    "trod trodden; wake woke woken; wear wore worn; weave wove woven; weep wept wept; win won "
    "won; wind wound wound; write wrote written"
)
IRREGULAR = {
    form: row.split()[0] for row in _IRREGULAR.split(";") for form in row.split()[1:]
} | {
    "lay": "lie", "lying": "lie", "laying": "lay", "tied": "tie", "tying": "tie", "drives": "drive",
    "cling": "cling",
}  # fmt: skip
PARTICIPLES = frozenset(row.split()[2] for row in _IRREGULAR.split(";"))
LIKE_PAST = word_set("cut set put hit read let shut spread cast")
ALSO_NOUNS = word_set(
    "bark bat bow box brush brushes building camp catch circle cluster comb cover cross cut "
    "cuts dip drawing dream dress drink drinks drop drum duck dust face fall feed fish flies "
    "flock fly garden glue hammer hand hoe iron kayak ladle land lay left lift light lights "
    "line love meadow milk mop nest nurse orbit pack paddle paint painting park pass pet "
    "photograph pile plant plants play plays point punch race rake rest ring rose row saw set "
    "shot show skate skateboard sketch ski skis slide slides smell snowboard stack stamp stop "
    "support surf swarm swing swings tie ties top tower type vacuum watch watches water wave "
    "wheel whisk work"
)


def _forms_of(verb: str) -> tuple[str, ...]:
    """Third person, participles and past; a last consonant with and without its double."""
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies", verb + "ing", verb[:-1] + "ied"
    stem = verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb
    third = verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")
    closed = verb[-1] not in "aeiouwxy" and verb[-2] in "aeiou"
    double = (verb + verb[-1] + "ing", verb + verb[-1] + "ed") if closed else ()
    return third, stem + "ing", stem + "ed", *double


def _inflected() -> dict[str, str]:
    forms = dict(IRREGULAR)
    for verb in BASE_VERBS:
        for form in (verb, *_forms_of(verb)):
            forms.setdefault(form, verb)
    return forms


VERBS = _inflected()


def is_participle(word: str) -> bool:
    """Has the word the form of a participle: "sitting", "parked", "torn"?"""
    return word.endswith(("ing", "ed", "en")) or word in PARTICIPLES


HOLDING = word_set(
    "bite brandish carry catch chew clasp clutch cradle cuddle devour drink eat embrace gnaw "
    "grab grasp grip hold hug juggle knit lick lift munch nibble peel play polish raise read "
    "repair sew sip strum swallow swing throw use wave wield"
)
DRIVING = word_set("drive fly paddle pedal pilot race row sail steer")
DISTANT = word_set(
    "admire approach ask avoid buy chase chew cost discover draw drop examine face fear find "
    "follow guard hear ignore imagine inspect kick like lose love miss need notice observe pass "
    "point see seek sell show spot stare study want watch weigh wish"
)
COMMON = word_set(
    "dance float fly hang lean lie look play rest run share sing sit sleep stand swim talk wait walk"
)
WEARING = word_set("wear")
RIDING = word_set("ride")
PLACING = word_set(
    "arrange attach bake balance bury carve chop cook cut drape draw drop forge fry gather "
    "grill hammer hang hide iron knead lay lean leave line load mount pack paint park pile pin "
    "place plant pour put roll scatter set slice spread stack stick store stuff tie tuck wrap "
    "write"
)
DEPICTING = word_set("show display depict say")
HANGING = word_set("hang dangle suspend droop swing sling")
RESTING = word_set("sit stand lie hang fly float swim rest sleep hover grow lean shine perch lay")
