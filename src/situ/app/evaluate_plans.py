"""The layouts of a planner, measured on a benchmark: kept one by one, so that a broken run goes on."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from situ import planners
from situ.app.plan import plan_scenes
from situ.app.plan_benchmarks import Benchmark, file_hashes
from situ.files.atomic import write_bytes
from situ.planners import Planned
from situ.scene import Layout, SituError, codec
from situ.version import VERSION

if TYPE_CHECKING:
    from situ.app.placer import Placing
    from situ.planners.llm import Endpoint

FORMAT = 1
PLANS, RESULT = "plans.jsonl", "evaluation.json"


@dataclass(frozen=True)
class By:
    """Who plans: the planner and what it needs."""

    planner: str = "rules"
    seed: int = 0
    endpoint: "Endpoint | None" = None
    placing: "Placing | None" = None
    cache: Path | None = None

    def plan(self, prompt: str) -> Planned:
        return plan_scenes(
            [prompt],
            self.planner,
            seed=self.seed,
            endpoint=self.endpoint,
            cache=self.cache,
            placing=self.placing,
        )[0]

    def told(self) -> dict[str, Any]:
        """What identifies its layouts; a key is no part of it."""
        told: dict[str, Any] = {
            "planner": self.planner,
            "seed": self.seed,
            "version": VERSION,
            "code": _code(),
        }
        if self.endpoint:
            told |= {"model": self.endpoint.model, "base_url": self.endpoint.base_url}
        if self.placing:
            told |= {"placer": self.placing.placer, "temperature": self.placing.temperature}
        return told


def evaluate_plans(benchmark: Benchmark, by: By, out: Path) -> dict[str, Any]:
    """Plan every sentence and score the layouts; writes OUT/plans.jsonl and OUT/evaluation.json.

    Layouts that OUT has already are not planned again. Raises SituError where OUT belongs to another
    planner or benchmark, and for a planner that cannot run.
    """
    out.mkdir(parents=True, exist_ok=True)
    lines = list(_planned(benchmark, by, out / PLANS))
    layouts = [codec.from_json(line["scene"]).layout for line in lines]
    result = {
        "situ": FORMAT,
        "benchmark": benchmark.name,
        "split": benchmark.split,
        "protocol": benchmark.protocol,
        "by": by.told(),
        "n": len(layouts),
        "scores": dict(benchmark.score(layouts)),
        "fell_back": sum(line["planner"] != by.planner for line in lines),
        "empty": sum(not len(layout) for layout in layouts),
        "data": dict(benchmark.data),
        "manifest_sha256": manifest(benchmark.data, layouts),
    }
    write_bytes(out / RESULT, (json.dumps(result, indent=1) + "\n").encode())
    return result


def manifest(data: Mapping[str, str], layouts: Sequence[Layout]) -> str:
    """One SHA-256 over the data and every phrase and box, so that equal runs can be told."""
    boxes = [[(item.phrase, item.box.xyxy) for item in layout] for layout in layouts]
    told = json.dumps([sorted(data.items()), boxes], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()


def lines(result: Mapping[str, Any]) -> str:
    """A result to read."""
    by = result["by"]
    name = f"{by['planner']} ({by['model']})" if "model" in by else by["planner"]
    rows = [f"{result['benchmark']} {result['split']}, {name}, {result['n']} layouts"]
    for title, value in result["scores"].items():
        shown = value if isinstance(value, int) else f"{100 * value:.2f}"
        rows.append(f"  {title:<26} {shown:>7}")
    if result["fell_back"]:
        rows.append(f"  {result['fell_back']} of them by the rules, where the planner failed")
    return "\n".join([*rows, f"  {result['protocol']}"])


def _planned(benchmark: Benchmark, by: By, path: Path) -> Iterator[dict[str, Any]]:
    """A line for each sentence, in order; new ones are appended as they are made."""
    head = {"benchmark": benchmark.name, "split": benchmark.split, "by": by.told()}
    kept = _kept(path, head)
    if not kept:
        write_bytes(path, _line(head))
    done = {line["prompt"]: line for line in kept[1:]}
    with path.open("ab") as file:
        for prompt in benchmark.prompts:
            if prompt not in done:
                done[prompt] = _plan(prompt, by)
                file.write(_line(done[prompt]))
                file.flush()
            yield done[prompt]


@cache
def _code() -> str:
    """A short SHA-256 of the planners' sources: plans of older rules are not those of newer ones."""
    folder = Path(planners.__file__).parent
    sources = json.dumps(file_hashes(folder, sorted(folder.rglob("*.py"))))
    return hashlib.sha256(sources.encode()).hexdigest()[:12]


def _plan(prompt: str, by: By) -> dict[str, Any]:
    planned = by.plan(prompt)
    return {"prompt": prompt, "planner": planned.planner, "scene": codec.to_json(planned.scene)}


def _kept(path: Path, head: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The whole lines of an earlier run; a torn last one is cut off."""
    if not path.is_file():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        write_bytes(path, whole)
    try:
        found = [json.loads(line) for line in whole.splitlines()]
    except ValueError:
        raise SituError(f"{path}: this is no file of plans; choose another folder") from None
    if found and found[0] != head:
        raise SituError(
            f"{path}: made by another planner, by other rules of it or for another benchmark; choose "
            "another folder"
        )
    return found


def _line(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False) + "\n").encode()
