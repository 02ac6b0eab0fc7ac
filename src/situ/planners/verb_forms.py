"""Verbs that describe pictures, in all their forms, and what some of them say about boxes."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


BASE_VERBS = word_set(
    "abandon absorb accept accompany ache achieve act add adjust admire adorn agree aid aim "
    "alight amble amuse announce answer appear applaud apply approach argue arise arrange "
    "arrest arrive ascend ask assemble attach attack attempt attend avoid await bake balance "
    "bang bark bask bathe beat beckon become beg begin behave belong bend bicker bind bite "
    "bleed blend bless blindfold blink bloom blossom blow board boast bob boil boogie bounce "
    "bow brace brandish break breathe breed brew bring browse brush bubble buckle build bulge "
    "bundle burn burrow burst bury busk bustle butt buy buzz cackle call calm camp care caress "
    "carry cartwheel carve cascade cast catch caw celebrate challenge change charge charm chase "
    "chat cheat check cheer chew chill chirp chisel choose chop chuckle churn circle clamber "
    "clamp clap clasp clatter clean clear climb cling clink close cluck cluster clutch clutter "
    "coil collapse collect collide comb come comfort command compare compete conceal "
    "concentrate conduct confront connect consist construct contain contemplate control "
    "converse cook cough count cover cower crack cradle cram crash crawl creep crochet cross "
    "crouch crowd cruise crumble crush cry cuddle curl curtsy cut cycle dab damage dance dangle "
    "dash dazzle deal debate decay declare decorate defend delight deliver demand depart depict "
    "descend deserve destroy develop devour dig dine dip direct disappear discover discuss "
    "disguise dismount display distribute disturb dive divide do dodge dominate doubt doze drag "
    "drain drape draw dream dress drift drink drip drive drool drop drown drum dust dwell eat "
    "eavesdrop edge elect emboss embrace embroider emerge emit employ empty encircle enclose "
    "encounter encourage engulf enjoy enter erect erupt escape escort etch examine exchange "
    "exercise exist exit expand expect explain explode explore express extend extinguish face "
    "fade fall fascinate fasten feature feed feel fetch fiddle fidget fight fill find fish fit "
    "fix fizz flank flap flare flash flatten flee flex flick flicker fling flip float flock "
    "flourish flow flutter fly fold follow forge forget form freeze frighten frolic frown fry "
    "furnish gallop gape garden gather gaze gesture get giggle gild give glance glare gleam "
    "glide glimmer glisten glitter gloat glow glue gnaw go gobble gossip govern grab grasp "
    "grate graze greet grill grimace grin grind grip groan groom grow growl guard guess guide "
    "gulp guzzle hammer hand handle hang happen harvest hatch haul have head hear heat help "
    "herd hesitate hibernate hide hike hiss hit hitchhike hoe hoist hold honk hoot hop hover "
    "howl huddle hug hunch hunt hurdle hurl hurry hurt hurtle idle ignite illuminate imagine "
    "imitate improvise incline infest inflate inhabit inhale inscribe inspect install interlock "
    "interview invent investigate invite iron jab jangle jingle jog join joke joust juggle jump "
    "jut kayak keep kick kiss knead kneel knit knock know ladle land lasso latch lather laugh "
    "launch lay laze lead leak lean leap learn leave lecture lend let levitate lick lie lift "
    "light like line listen litter live load locate loiter look loom lope lose lounge love "
    "lower lug lull lunge lurk make march marvel mash massage mean meander measure meditate "
    "meet melt memorize menace mend meow merge milk mimic mingle mix moan mock moo mop mope "
    "mount mourn move mow mumble munch mutter nap narrate need neglect neigh nest nestle nibble "
    "nod notice nudge nurse nuzzle obey observe occupy offer ooze open operate orbit outnumber "
    "overflow overhang overlook oversee own pack paddle paint parade park pass patrol pause "
    "peck pedal peek peel peep peer pelt perch perform perspire pester pet photograph pick pile "
    "pirouette pivot place plant play plead plop plough plow pluck plunge point poke polish "
    "ponder pose position pounce pour practice praise pray preach preen prepare preside press "
    "pretend prick proceed produce promise prompt prop propel protect protest protrude provide "
    "prowl prune pucker puff pull punch pursue push put quack quit quiver race radiate raise "
    "rake rappel rattle reach read receive recline reel reflect refuel refuse regard rein "
    "relate relax release rely remain remove repair repeat reply repose rescue rest retrieve "
    "reveal review ride rip ripple rise roam roar roast rob roll romp roost rot rotate row rub "
    "rummage run rush rustle sag sail salute saunter say scamper scan scare scatter scold scoop "
    "scowl scramble scrape scratch scrawl scream scrub sculpt scurry search see seek seep sell "
    "send separate serenade serve set settle sew shake share sharpen shave shear shed shelter "
    "shift shimmer shine shiver shoot shout shovel show shred shrink shrug shuffle shut sigh "
    "simmer sing sink sip sit sizzle skate skateboard sketch ski skim skip skydive slalom slam "
    "slap slay sleep slice slide sling slink slip slit slither slosh slouch slump slurp smash "
    "smear smell smile smirk smoke smoulder snap snarl snatch sneak sneeze sniff snip snooze "
    "snore snorkel snowboard snuggle soak soar solve somersault soothe sparkle speak speed "
    "spell spend spill spin spit splash splatter splice split spoil sprawl spray spread "
    "sprinkle sprint sprout squabble squat squawk squeak squeeze squint squirm squirt stab "
    "stack stagger stain stalk stamp stampede stand stare stargaze start startle starve stay "
    "steal steer stick sting stir stoop stop straddle straggle straighten strain strap streak "
    "stretch strew stride strike strive stroke stroll struggle strum strut study stuff stumble "
    "stun suck suckle suffer suggest sunbathe support surf surrender surround survey survive "
    "suspend swagger swallow swarm swat sway swear sweat sweep swell swerve swig swim swing "
    "swirl swivel swoop tackle take talk tangle tap taste teach tear tease tell tend tether "
    "thank thaw think threaten thrive throw thrust thump tickle tie tighten tilt tiptoe top "
    "topple torment toss totter touch tow tower trail tramp trample trap travel tread treat "
    "trek tremble trickle trim trip trot trudge trundle trust tuck tug tumble turn twine "
    "twinkle twirl twist type unfold unfurl unload unlock unpack unroll untie unveil unwrap "
    "upset use vacuum vanish vault veer venture visit waddle wade wag wail wait wake walk waltz "
    "wander want warm warn wash watch water wave waver wear weave weep weigh welcome weld wheel "
    "whine whip whirl whisk whisper whistle whittle whiz widen wield wiggle win wind wink wipe "
    "wither witness wobble wonder work worry worship wrap wrestle wriggle wring write yank yap "
    "yawn yell yelp yodel zigzag zip zoom"
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
    "cling": "cling", "bearing": "hold", "strung": "string", "unstrung": "string",
}  # fmt: skip
PARTICIPLES = frozenset(row.split()[2] for row in _IRREGULAR.split(";")) | {"strung"}
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
    "dance float fly hang lean lie look play rest run share sing sit sleep stand swim talk wait "
    "walk"
)
NEVER_NOUNS = word_set(
    "arrive appear bathe become begin bring carry come disappear eat emerge enter go grow kneel "
    "know lie listen read run sing sit sleep speak swim teach think wear write"
)
LOCATED = word_set(
    "attach build chain connect dock fasten locate moor park plant position tether tie"
)
DENOMINAL = word_set(  # nouns that are verbs before an object: "a cat blocks the door"
    "address bar base block book bottle butter cover crown eye film fire flag frame hammer "
    "harness head hose house lace lasso leash mark mask mirror nail oil order paper patch pin "
    "plate plug print ring rope saddle saw shade shoulder skin skirt spear stage star steam "
    "step thread top train trap tree water weed"
)
WEARING = word_set("wear")
TAKING = word_set(  # what is always done to something
    "admire bake brush build buy catch chase chop clean climb collect cook cut deliver dig draw "
    "enjoy examine face feed fetch fix fly follow gather guard harvest hit kick leave make mow "
    "overlook paint pick plant pour practice prepare pull push put repair rescue sell serve "
    "show spray sweep teach throw wash watch water"
)
LIVING = word_set(  # what only somebody who is alive does
    "bark bow breathe carry cheer chew climb clutch crawl crouch dance drink eat feed fish "
    "frown gaze gesture giggle glance grin hike hold hop hug jog juggle jump kick kiss kneel "
    "knit laugh leap listen look march meditate nap nod paddle play point pose pray read relax "
    "ride run salute scream shout shrug sigh sing sit skate sketch ski skip sleep smile smoke "
    "sneak sniff snore speak sprint squat stare stretch stroll strum study swim talk think "
    "tiptoe wade walk wander watch wave wear weep whisper whistle work write yawn yell"
)
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
