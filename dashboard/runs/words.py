"""What the page of runs shows of them: rows of its tables."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from textwrap import shorten
from typing import Any, Final

from markupsafe import Markup

from dashboard.table import Cell, Row, act
from sessions.rest.models.scores import MeasuresAnswer
from sessions.runs import Run

UNKNOWN: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"

SCORES: Final[Mapping[str, str]] = {
    "r2_position": "R\N{SUPERSCRIPT TWO} position",
    "r2_velocity": "R\N{SUPERSCRIPT TWO} velocity",
    "rmse_position": "RMSE position",
    "rmse_velocity": "RMSE velocity",
    "correlation_position": "Correlation position",
    "correlation_velocity": "Correlation velocity",
    "lag_ms": "Lag, ms",
    "angular_error_deg": "Angular error, °",
    "bit_rate": "Bits/s",
    "bit_rate_achieved": "Bits/s achieved",
    "latency_p50_ms": "p50, ms",
    "latency_p99_ms": "p99, ms",
    "n_bins": "Bins scored",
    "n_trials": "Trials",
    "n_hits": "Hits",
}
"""Names that are more than their words; the others are spelled as they are called."""

COLUMNS: Final = (
    "Run", "Decoder", "Ended", "Recording", SCORES["r2_position"], SCORES["r2_velocity"], "RMSE", "Hits",
    "Bits/s", "p50, ms", "Tags and notes",
)  # fmt: skip
TAG: Final = Markup('<span class="tag">{}</span> ')
NOTE: Final = Markup('<span class="note" title="{}">{}</span>')
CONFIRM: Final = Markup('<span class="confirm" role="alert">Delete {}? It is gone then. {} {}</span>')
LONGEST_NOTE: Final = 80
DIFFERS: Final = Markup('{} <span class="differs" title="Differs">\N{NOT EQUAL TO}</span>')


def called(score: str) -> str:
    """A score, in words."""
    return SCORES.get(score, score.replace("_", " ").capitalize())


def names() -> list[str]:
    """Of all scores."""
    return list(MeasuresAnswer.model_fields)


def number(value: Any) -> str:
    """Of a score."""
    if value is None:
        return UNKNOWN
    text = f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
    return text.replace("-", MINUS)


def when(unix: float) -> str:
    """The server's local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(unix))


def run_row(run: Run, shown: bool, asked: bool) -> Row:
    """A run in the table: whether it is one of those side by side, and is to be deleted."""
    told, key = run.scores, f"run {run.id}"
    hits = f"{told.get('n_hits', 0)} of {told.get('n_trials', 0)}"
    short = shorten(run.notes, LONGEST_NOTE, placeholder=" \N{HORIZONTAL ELLIPSIS}")
    notes = Markup().join(TAG.format(tag) for tag in run.tags) + NOTE.format(run.notes, short)
    buttons = Markup(" ").join(
        (
            act("compare", "Compared" if shown else "Compare", f"Compare {key}"),
            act("edit", "Edit", f"Edit notes and tags of {key}"),
            act("delete", "Delete", f"Delete {key}"),
        )
    )
    if asked:
        buttons = Markup(
            '<span class="confirm" role="alert">Delete {}? It is gone then. {} {}</span>'
        ).format(key, act("keep", "Keep it"), act("end", "Delete", main=True))
    shown_scores = ("r2_position", "r2_velocity", "rmse_position")
    cells: tuple[Cell, ...] = (
        str(run.id),
        run.decoder,
        when(run.ended),
        run.recording,
        *(number(told.get(name)) for name in shown_scores),
        hits,
        *(number(told.get(name)) for name in ("bit_rate", "latency_p50_ms")),
        notes,
        buttons,
    )
    return Row(str(run.id), cells, "shown" if shown else "")


def title(run: Run) -> str:
    """Of a column that is a run's."""
    return f"Run {run.id}: {run.decoder}, {when(run.ended)}"


def score_rows(first: Run, second: Run) -> list[Row]:
    """The scores that either has, and by how much the second has more."""
    rows = []
    for name in names():
        one, two = first.scores.get(name), second.scores.get(name)
        if one is None and two is None:
            continue
        more = None if one is None or two is None else two - one
        difference = f"+{number(more)}" if more is not None and more > 0 else number(more)
        rows.append(Row(name, (called(name), number(one), number(two), difference)))
    return rows


def setting_rows(first: Run, second: Run, all_of_them: bool) -> list[Row]:
    """The settings that differ, marked, and the others after them if they are asked for."""
    one, two = (dict(flat(settings_of(run))) for run in (first, second))
    missing = object()
    rows: tuple[list[Row], list[Row]] = [], []
    for name in dict.fromkeys((*one, *two)):
        same = one.get(name, missing) == two.get(name, missing)
        told = (spelled(each[name]) if name in each else UNKNOWN for each in (one, two))
        label: Cell = name if same else DIFFERS.format(name)
        rows[same].append(Row(name, (label, *told), "" if same else "differs"))
    return [*rows[False], *(rows[True] if all_of_them else [])]


def settings_of(run: Run) -> Mapping[str, Any]:
    """All that a score depends on."""
    of_run = {"decoder": run.decoder, "recording": run.recording, "source": run.source}
    return {**of_run, "seed": run.seed, **run.settings}


def flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Settings by their whole names, such as ``perturbation.noise.enabled``."""
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def spelled(value: Any) -> str:
    """A setting's value."""
    match value:
        case bool():
            return "on" if value else "off"
        case None:
            return "none"
        case list() | tuple() | dict():
            return ", ".join(str(each) for each in value) or "none"
    return str(value)
