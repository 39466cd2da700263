"""The report of a run: one HTML page with every item's pictures, readings and way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from edge.demo.plots import strip, timeline
from edge.demo.score import Account, Story, conservation_line
from edge.records.evidence.index import newest_of_item, picture

PAGE = "index.html"
PICTURES = "pictures"


def write(
    folder: Path,
    title: str,
    notes: Sequence[str],
    run: Account,
    result: Mapping[str, Any],
    places_mm: Mapping[str, float],
    state: Path,
) -> Path:
    """Write `folder/index.html` and copy the evidence beside it; returns the page's path."""
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    loader = jinja2.PackageLoader("edge.demo", "")
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.get_template("report.html").render(
        title=title,
        notes=notes,
        conservation=conservation_line(run.conservation),
        tiles=list(rows(result)),
        timeline=Markup(timeline(run.stories, places_mm)),  # noqa: S704 - our own SVG, its texts escaped
        scores=Markup(strip(_scores(run))),  # noqa: S704 - likewise
        scores_note=_scores_note(result),
        items=[_card(one, state, folder) for one in run.stories],
    )
    (folder / PAGE).write_text(page)
    return folder / PAGE


def rows(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The figures of a run, for the table at the end."""
    diverts = result["diverts"]
    yield "items", str(result["items"])
    yield "true diverts (bad, pulled off)", str(diverts["true"])
    yield "false diverts (good, pulled off)", str(diverts["false"])
    yield "escapes (bad, passed)", str(result["escapes"])
    yield "missed diverts", str(diverts["missed"])
    for key, name in (("latency_ms", "photoeye to verdict"), ("exposure_to_verdict_ms", "last exposure to verdict")):
        yield f"{name}, p50 / p99", f"{_ms(result[key]['p50'])} / {_ms(result[key]['p99'])}"
    replacements = result["replacements"]
    yield "replacements owed / acknowledged", f"{replacements['owed']} / {replacements['acknowledged']}"
    if result["auroc"] is not None:
        yield f"image AUROC ({result['auroc_items']} items nothing was fitted on)", f"{result['auroc']:.3f}"
    if result["serials_total"]:
        yield "serials right", f"{result['serials_right']} of {result['serials_total']}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"


def _scores(run: Account) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {"good": [], "bad": []}
    for one in run.unseen():
        score = one.score()
        if score is not None:
            groups["bad" if one.truth["bad"] else "good"].append(score)
    return groups if run.scene.scored and all(groups.values()) else {}


def _scores_note(result: Mapping[str, Any]) -> str:
    return (
        f"How bad each of the {result['auroc_items']} items looked that nothing was fitted on: AUROC {result['auroc']}."
    )


def _card(story: Story, state: Path, folder: Path) -> dict[str, Any]:
    """What the page shows of one item."""
    verdict = story.verdict or {"reasons": ["no verdict"]}
    return {
        "item_id": story.item_id,
        "wms": story.truth.get("item", "unknown"),
        "why": story.truth.get("why", ""),
        "end": (story.end or {"end": "lost"})["end"],
        "mistaken": _mistaken(story),
        "reasons": verdict["reasons"],
        "pictures": list(_pictures(story.item_id, state, folder)),
    }


def _pictures(item: str, state: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Caption of each picture of an item, and where it was copied to in the report's folder."""
    for one in newest_of_item(state, item):
        path = f"{PICTURES}/{one.sha256}.jpg"
        (folder / path).write_bytes(picture(state, one.sha256))
        yield one.caption, path


def _mistaken(story: Story) -> str:
    bad, went = story.truth.get("bad"), story.truth.get("went")
    if bad and went == "good":
        return "escaped"
    return "pulled off though good" if not bad and went == "reject" else ""
