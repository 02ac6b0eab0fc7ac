"""What is said about the picture as a whole: style, quality and frame; kept away from the boxes."""

from collections.abc import Sequence

from situ.planners import nouns, verb_forms, words
from situ.planners.verb_forms import word_set

_BY_FIRST: dict[str, list[tuple[str, ...]]] = {}
for _phrase in sorted(words.STYLE_PHRASES, key=lambda p: -len(p.split())):
    _BY_FIRST.setdefault(_phrase.split()[0], []).append(tuple(_phrase.split()))
_BEFORE_FRAME = words.DETERMINERS | words.ADJECTIVES | words.REQUESTS | words.STYLE | word_set(
    "child's to see this is there book storybook children's kid's of crayon pencil"
)  # fmt: skip
_ACTING = frozenset(form for form, base in verb_forms.VERBS.items() if form != base) - word_set(
    "painted drawn printed detailed rendered colored coloured"
)
_SHOWING = ("of", "showing", "depicting", "featuring")
_MEDIA = word_set("oil acrylic watercolor watercolour ink pencil charcoal pastel gouache crayon")
# What is said of the picture as a whole, at the end of a few words without an article.
_WHOLE = word_set(
    "sky background backdrop light lights lighting shadow shadows color colors colour colours palette tone "
    "tones aesthetic aesthetics quality detail details resolution focus angle lens composition art "
    "mood atmosphere ambience vibe vibes texture textures look effect effects exposure contrast blur "
    "glow haze bokeh grain film perspective poster wallpaper engine design depth"
)
_GENRES = word_set(
    "art photography illustration render rendering painting drawing sketch photo photograph"
)
_CUT_OFF = ("in the style of", "by artist", "art by")


def take(text: Sequence[str]) -> tuple[list[str], list[str]]:
    """Words without style, and the style."""
    text, titles = _without_titles(list(text))
    text, named = _without_names(text)
    named = [*titles, *named]
    kept, style = _without_phrases(text)
    start, frame = _frame(kept)
    kept, tags = _without_tags(kept[start:], bool(style or frame or named))
    return kept, [*frame, *named, *style, *tags]


def _without_titles(text: list[str]) -> tuple[list[str], list[str]]:
    """ "Isometric game art. A tower stands", "It is late. Photo, golden hour.": sentences of style only."""
    kept: list[list[str]] = [[]]
    for word in text:
        kept[-1].append(word)
        if word in (".", "!"):
            kept.append([])
    said = [sentence for sentence in kept if sentence and _is_title(sentence)]
    if not said or len(said) == len([sentence for sentence in kept if sentence]):
        return text, []
    left = [word for sentence in kept if sentence not in said for word in sentence]
    return left, [" ".join(w for w in sentence if w[0].isalnum()) for sentence in said]


def _is_title(sentence: list[str]) -> bool:
    parts = _parted(sentence[:-1] if sentence[-1] in (".", "!") else sentence)
    return all(0 < len(part) < 6 and _names_style(part) for part in parts)


def _names_style(part: list[str]) -> bool:
    if " ".join(part) in words.STYLE_PHRASES:
        return True
    counted = any(word in words.NUMBERS or word in words.COPULAS for word in part)
    return not counted and (_is_tag(part) or part[-1] in _GENRES) and part[0] not in words.REQUESTS


def _without_names(text: list[str]) -> tuple[list[str], list[str]]:
    """Parts that name a kind of picture: "street photography", "Game item art, three potions"."""
    kept: list[list[str]] = []
    named: list[str] = []
    parts = _parted(text)
    for part in parts:
        name = 1 < len(part) < 5 and part[-1] in _GENRES and words.DETERMINERS.isdisjoint(part)
        other = any(
            w in words.PREPOSITIONS or w in words.NUMBERS or w in (".", ";", ":", "and")
            for w in part
        )
        if name and not other and len(parts) > 1:
            named.append(" ".join(part))
        else:
            kept.append(part)
    return [word for part in kept for word in [",", *part]][1:], named


def _without_tags(text: list[str], styled: bool) -> tuple[list[str], list[str]]:
    """Prompts end in words for the whole picture between commas: "matte painting, epic"."""
    parts = _parted(text)
    if len(parts) < 2:
        return text, []
    tags = [not i < 1 and _is_tag(part) for i, part in enumerate(parts)]
    last = max((i for i in range(len(parts)) if not tags[i] and not _is_loose(parts[i])), default=0)
    told = any(word in words.ARTICLES for word in parts[0])
    if (
        styled
        or any(tags)
        or (told and last < len(parts) - 1 and not nouns.is_plural(parts[-1][-1]))
    ):
        tags = [tag or i > last for i, tag in enumerate(tags)]
    kept = [part for part, tag in zip(parts, tags, strict=True) if not tag]
    said = [" ".join(part) for part, tag in zip(parts, tags, strict=True) if tag and part]
    return [word for part in kept for word in [",", *part]][1:], said


def _parted(text: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in text:
        if word == ",":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _is_tag(part: list[str]) -> bool:
    """Words without an article that end in one for pictures, a painter, or a medium: "oil on canvas"."""
    part = part[:-1] if part[-1:] == ["."] else part
    if not part:
        return True
    if part[0] == "by" and len(part) < 5 and part[1:2] and part[1] not in words.DETERMINERS:
        return not nouns.is_known(part[-1])
    if part[0] in _MEDIA and part[1:2] == ["on"]:
        return True
    if " ".join(nouns.singular(word) for word in part[-2:]) in nouns.SIZES:
        return False  # "traffic light"
    plain = words.DETERMINERS.isdisjoint(part) and words.PREPOSITIONS.isdisjoint(part)
    return plain and part[-1] in words.FRAMES | words.STYLE | _WHOLE


def _is_loose(part: list[str]) -> bool:
    """One or two words that are no thing, such as "epic" or "award winning"."""
    return len(part) < 3 and not any(
        (nouns.is_known(w) and w not in words.ADJECTIVES) or w in words.NUMBERS
        or w in words.PRONOUNS or w in words.STYLE
        or w in words.DETERMINERS or w in words.PREPOSITIONS or w in words.NEGATIONS or w.isdigit()
        or w in (".", ";", "and")
        for w in part
    )  # fmt: skip


def _without_phrases(text: list[str]) -> tuple[list[str], list[str]]:
    kept: list[str] = []
    style: list[str] = []
    i = 0
    while i < len(text):
        length = _style_at(text, i)
        if length:
            style.append(" ".join(text[i : i + length]))
            while (
                kept
                and kept[-1] in ("on", "against", "a", "an", "the")
                and "background" in style[-1]
            ):
                kept.pop()
            i += length
            continue
        kept.append(text[i])
        i += 1
    return kept, style


def _style_at(text: list[str], i: int) -> int:
    for phrase in _BY_FIRST.get(text[i], ()):
        if tuple(text[i : i + len(phrase)]) == phrase:
            after = text[i + len(phrase)] if i + len(phrase) < len(text) else ""
            if " ".join(phrase) in _CUT_OFF:
                return _until_mark(text, i)
            return len(phrase) + (after in ("style", "of"))
    if text[i] in words.FRAMES and text[i + 1 : i + 2] and text[i + 1] in _SHOWING:
        return 0
    if text[i] in words.STYLE and text[i] not in ("style", "lighting", "render", "rendered"):
        return 1 + (i + 1 < len(text) and text[i + 1] in ("style", "lighting"))
    return 0


def _until_mark(text: list[str], i: int) -> int:
    end = i
    while end < len(text) and text[end] not in (",", ".", ";"):
        if (
            text[end] == "of"
            and end > i + 4
            and text[end + 1 : end + 2] in (["a"], ["an"], ["the"])
        ):
            return end + 1 - i  # "in the style of a painter of a woman"
        end += 1
    return end - i


def _frame(text: list[str]) -> tuple[int, list[str]]:
    """ "I would like a photo of": where the picture itself begins."""
    titled = next((i for i in range(min(5, len(text) - 1)) if text[i + 1] == ":"), -1)
    if titled >= 0 and text[titled] in words.FRAMES:
        return titled + 2, [" ".join(w for w in text[: titled + 1] if w not in words.ARTICLES)]
    opened = next((i for i, word in enumerate(text[:10]) if word in (":", ".")), -1)
    if opened > 0 and text[opened] == ":" and words.FRAMES & set(text[:2]) and "of" not in text[:3]:
        return opened + 1, [" ".join(w for w in text[:opened] if w[0].isalnum())]
    for i, word in enumerate(text[:12]):
        if word in words.FRAMES and words.HANGS & set(text[i + 2 : i + 7]):
            break  # "a poster of a tiger hangs on the wall"
        if word in words.FRAMES and (after := _frame_end(text, i + 1)):
            said = [w for w in text[:i] if w not in words.REQUESTS and w not in words.ARTICLES]
            return after, [" ".join([*said, word])]
        if not _before_frame(text, i):
            break
    start = 2 * (list(text[:2]) in (["what", "about"], ["how", "about"]))
    while start < len(text) and text[start] in words.REQUESTS and text[start] not in ("paint",):
        start += 1
    return start, []


def _before_frame(text: list[str], i: int) -> bool:
    """May the word stand before "photo of": "a vintage travel poster of"?"""
    word = text[i]
    acts = word in verb_forms.VERBS and not nouns.is_known(word) and i > 1
    if acts and word not in words.ADJECTIVES | words.REQUESTS and word == verb_forms.VERBS[word]:
        return False
    if word in _BEFORE_FRAME or word in words.FRAMES or word == ",":
        return True
    other = word in words.PREPOSITIONS or word in words.COPULAS or word in words.CONJUNCTIONS
    other = other or word in words.HAVING or word in words.NUMBERS or not word[0].isalpha()
    animate = nouns.singular(word) in nouns.ANIMATE
    return not (other or animate or word in ("of", "with", "there")) and word not in _ACTING


def _frame_end(text: list[str], i: int) -> int:
    """After "photo": the place after "of", "in flat style showing", "by somebody of"; or 0."""
    if text[i : i + 1] and text[i] in ("in", "by", "from", "made"):
        end = next((k for k in range(i + 1, min(i + 7, len(text))) if text[k] in _SHOWING), 0)
        styled = any(word in words.STYLE or word in words.FRAMES for word in text[i:end])
        return end + 1 if end and (styled or text[i] == "by") else 0
    if text[i : i + 1] and text[i] in (*_SHOWING, "with", "where", ":"):
        return i + 1
    if text[i : i + 1] and text[i] in ("shows", "depicts", "features"):
        return i + 1
    return i + 2 if text[i : i + 2] in (["that", "shows"], ["which", "shows"]) else 0
