"""Stage 9 of a GOAL2K: the page on which people look at pictures, and what they said kept beside the set."""

from collections.abc import Callable
from pathlib import Path

from situ.app.goal2k import LOGGED, Build
from situ.goal2k.journal import Row
from situ.goal2k.prompts import share_of
from situ.goal2k.verdicts import FILE, append
from situ.goal2k.verify import Desk
from situ.scene import SituError


def items(build: Build, audit: float) -> list[Row]:
    """What people look at: all that is in doubt, then the share `audit` of what passed the checks."""
    made = build.made()
    shown = build.shown()
    doubt, sample = [], []
    for prompt in made.prompts:
        checked = made.checks.get(prompt.id)
        if checked is None or checked["verdict"] == "reject":
            continue
        found = made.boxes[prompt.id]
        item = {
            "id": prompt.id,
            "caption": prompt.caption,
            "category": prompt.category,
            "things": [{"phrase": t.phrase, "count": t.count} for t in prompt.things],
            "objects": found["objects"],
            "failed": checked["failed"],
            "shown": shown[prompt.id],
        }
        if checked["verdict"] == "review":
            doubt.append(item)
        elif share_of("audit", prompt.id) < audit:
            sample.append(item)
    return [*doubt, *sample]


def desk(build: Build, reviewer: str, port: int = 0, audit: float = 0.1) -> Desk:
    """The server of the page, bound but not serving yet."""
    for stage in LOGGED:
        if not build.journal(stage).finished:
            raise SituError(f"verify: {stage} is not done yet; run the command without --verify")
    todo = items(build, audit)
    if not todo:
        raise SituError("verify: no picture is in doubt; --audit 1 shows those that passed, too")
    found = {row["id"]: build.work / row["file"] for row in build.journal("boxes").rows()}
    pictures = {item["id"]: found[item["id"]] for item in todo}
    verdicts = build.verdicts()
    said = {
        verdict.id: verdict.verdict
        for item in todo
        for verdict in verdicts.of(item["id"])
        if verdict.reviewer == reviewer
    }
    place: Path = build.out / FILE
    return Desk(todo, pictures, said, reviewer, lambda verdict: append(place, verdict), port)


def verify(
    build: Build,
    reviewer: str,
    port: int = 0,
    audit: float = 0.1,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the page until Ctrl-C."""
    server = desk(build, reviewer, port, audit)
    say(f"{len(server.shown)} pictures to look at: {server.url}")
    say("verdicts are saved one by one; Ctrl-C here ends it and writes the release")
    try:
        server.serve_forever(0.1)
    except KeyboardInterrupt:
        say("")
    finally:
        server.server_close()
