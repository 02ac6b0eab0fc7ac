"""What a page of ours may do: run its own script and style, and nothing from anywhere else."""

import base64
import hashlib
import re


def policy(template: str, *allowed: str) -> str:
    """The Content-Security-Policy of a page with one style and one script; `allowed` are further rules."""
    rules = [
        "default-src 'none'",
        *allowed,
        f"style-src {_hash_of('style', template)}",
        f"script-src {_hash_of('script', template)}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules)


def _hash_of(tag: str, template: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", template, re.DOTALL)
    assert found is not None  # the template is ours
    digest = hashlib.sha256(found[1].encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
