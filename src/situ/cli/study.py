"""situ study: pictures side by side, judged by people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from situ.cli.options import option
from situ.cli.terminal import say, warn
from situ.scene import SituError


@dataclass(frozen=True)
class StudyBuild:
    """Make a blind study of result folders: one page for all raters, which works offline.

    Send study.html to the raters, each with a number of their own. Keep study.json: it says which
    system drew what, and no answer can be read without it.
    """

    folders: Annotated[Positional[tuple[str, ...]], arg(metavar="NAME=DIR ...")]
    """Two or more systems: a name, and the folder that situ generate wrote."""
    out: Annotated[Path, arg(metavar="DIR")] = Path("study")
    """The folder to write."""
    raters: Annotated[int, arg(metavar="INT")] = 20
    """People who are asked."""
    images: Annotated[int, arg(metavar="INT")] = 1
    """Pictures of each scene by each system, the first by seed."""
    each: Annotated[int, arg(metavar="INT")] = 1
    """Pairs of systems that a rater sees of each scene; it must divide their number."""
    against: Annotated[str | None, option("NAME")] = None
    """Compare all others with this system only."""
    checks: Annotated[int, arg(metavar="INT")] = 6
    """Trials for each rater whose right answer is known."""
    pairing: Literal["scene", "caption"] = "scene"
    """What pictures must share to be compared; caption: layouts may differ."""
    seed: Annotated[int, arg(metavar="INT")] = 0
    """Decides order and sides."""
    quality: Annotated[int, arg(metavar="1..100")] = 95
    """Of the pictures as WebP; 100 loses nothing."""
    beside: bool = False
    """Pictures as files beside the page, not inside it."""
    title: Annotated[str | None, option("TEXT", "Which picture is better?")] = None
    """The heading of the first page."""
    note: Annotated[str, arg(metavar="TEXT")] = ""
    """Shown at the beginning and the end, such as where to send the answers."""
    overwrite: bool = False
    """Replace another study, whose answers can then not be read any more."""

    def run(self) -> int:
        folders = _named(self.folders)
        from situ.app.study import KEY, PAGE, Options, build_study
        from situ.evaluation.study.page import TITLE

        names = Options.__dataclass_fields__.keys() - {"title"}
        given = {name: getattr(self, name) for name in names}
        study = build_study(folders, self.out, Options(**given, title=self.title or TITLE))
        trials = len(study.sessions[0].trials)
        say(f"{self.out / PAGE}: {len(study.sessions)} raters, {trials} pairs each; for the raters")
        say(f"{self.out / KEY}: the key to their answers; keep it to yourself")
        return 0


@dataclass(frozen=True)
class StudyAnalyse:
    """Analyse the answers to a study: result.json, judgements.csv and result.svg."""

    study: Annotated[Positional[Path], arg(metavar="STUDY.json")]
    """The key that situ study build wrote."""
    answers: Annotated[Positional[tuple[Path, ...]], arg(metavar="ANSWERS ...")]
    """Files of answers, or folders of them."""
    out: Annotated[Path | None, option("DIR", "beside the key")] = None
    """The folder to write."""
    least_checks: Annotated[float, arg(metavar="0..1")] = 0.8
    """Leave out raters who pass a smaller share of their checks."""
    least_answered: Annotated[float, arg(metavar="0..1")] = 0.5
    """Leave out raters who answer a smaller share of their questions."""

    def run(self) -> int:
        from situ.app.study import analyse_study, table
        from situ.evaluation.study.answers import Rule

        out = self.out or self.study.parent
        rule = Rule(self.least_checks, self.least_answered)
        analysis = analyse_study(self.study, self.answers, out, rule)
        for remark in analysis.collection.remarks:
            warn(remark)
        say(table(analysis))
        say(f"written to {out}: result.json, judgements.csv, result.svg")
        return 0


def _named(folders: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for given in folders:
        name, equals, folder = given.partition("=")
        if not equals or not name.strip() or not folder:
            raise SituError(f"folder {given!r} must be NAME=DIR, as in goal=out/goal")
        if name in found:
            raise SituError(f"folder {given!r}: the name {name!r} is given twice")
        found[name] = Path(folder)
    if len(found) < 2:
        raise SituError(f"folders: {len(found)} given; a study compares two or more, NAME=DIR each")
    return found
