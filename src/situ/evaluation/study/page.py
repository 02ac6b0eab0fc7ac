"""The study as one HTML page that works offline: no server, no request, answers saved as a file.

The page knows prompts, blind names of pictures and the order of trials. It holds neither the names of
systems nor which trials are checks.
"""

import base64
import html
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from situ.evaluation.study.design import QUESTIONS, Session, Study
from situ.files.page import policy
from situ.scene import SituError

TITLE = "Which picture is better?"


def page(study: Study, pictures: Mapping[str, str], title: str = TITLE, note: str = "") -> str:
    """The page of a study. `pictures` has an address, a data URI or a relative one, for each token.

    The note stands on the first page and the last, such as where to send the answers.
    """
    missing = [token for token in study.tokens.values() if token not in pictures]
    if missing:
        raise SituError(f"pictures: {len(missing)} have no address, the first is {missing[0]}")
    content = _content(study, {t: pictures[t] for t in study.tokens.values()}, title, note)
    template = (files("situ.evaluation.study") / "page.html").read_text("utf-8")
    parts = {
        "policy": html.escape(policy(template, "img-src data: 'self' file:")),
        "title": html.escape(title),
        "study": json.dumps(content, ensure_ascii=False).replace("<", "\\u003c"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def data_uri(content: bytes, kind: str) -> str:
    """A file of a media type such as image/webp as an address that holds the file itself."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _content(study: Study, pictures: Mapping[str, str], title: str, note: str) -> Mapping[str, Any]:
    return {
        "study": study.id,
        "title": title,
        "note": note,
        "prompts": study.prompts,
        "questions": {
            q.name: {"ask": q.ask, "hint": q.hint, "shows_prompt": q.shows_prompt}
            for q in QUESTIONS
        },
        "pictures": pictures,
        "sessions": [_session(session, study) for session in study.sessions],
    }


def _session(session: Session, study: Study) -> Mapping[str, Any]:
    token = study.tokens
    trials = [[t.id, t.prompt, token[t.left], token[t.right]] for t in session.trials]
    return {"questions": [question.name for question in session.questions], "trials": trials}
