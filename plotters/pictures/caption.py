"""What a picture says about itself: session, recording, time, and what was done to the spikes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from engine.moment import Moment
from engine.stages.perturb import MODELS
from plotters.pictures.arena import spell
from plotters.pictures.timeline import notes

NOTES_TOLD = 3


def heading(moment: Moment) -> str:
    return f"Session {moment.session}, recording {moment.recording}"


def caption(moment: Moment) -> str:
    """A few sentences."""
    return " ".join((when(moment), perturbation(moment), *decoders(moment), *_remarks(moment)))


def when(moment: Moment) -> str:
    """The newest bin, on the wall and in the recording."""
    if not len(moment.rows):
        return "Nothing was sent yet."
    newest = moment.rows[-1]
    wall = datetime.fromtimestamp(newest["timestamp"], UTC)
    seconds = newest["packet_id"] / moment.bin_rate
    return (
        f"Newest bin {wall:%Y-%m-%d %H:%M:%S} UTC, at {seconds:.2f} s of the recording{_at_speed(moment)}."
    )


def perturbation(moment: Moment) -> str:
    """The models that acted on these bins, with their settings unless those have changed since."""
    sent = moment.rows["due"] + moment.rows["lateness"]
    changes = [note.due for note in moment.notes if note.text.startswith("perturbation")]
    acting = []
    for i, model in enumerate(MODELS):
        acted = (moment.rows["perturbation"] >> i & 1).astype(bool)
        if acted.any():
            settings = moment.perturbation[model.key].items()
            told = [f"{name} {value:g}" for name, value in settings if name != "enabled"]
            if any(change > sent[acted][0] for change in changes):
                told = ["changed meanwhile"]
            if not acted.all():
                told.append(f"in {acted.mean():.0%} of the bins")
            acting.append(f"{model.key.replace('_', ' ')} ({', '.join(told)})")
    return f"Perturbation: {', '.join(acting)}; seed {moment.seed}." if acting else "No perturbation."


def decoders(moment: Moment) -> Iterator[str]:
    """Who answered, and how well."""
    told = [
        f"{name} {spell(each.r2_position)}, {spell(each.r2_velocity)}"
        for name, each in moment.decoders.items()
    ]
    if told:
        yield f"R² of position and velocity over the last 10 s: {'; '.join(told)}."


def _at_speed(moment: Moment) -> str:
    match moment.speed:
        case 1:
            return ""
        case "max":
            return ", at speed max"
        case speed:
            return f", at {speed:g} times real time"


def _remarks(moment: Moment) -> Iterator[str]:
    asked = [text for _, text in notes(moment)]
    if asked:
        told = ", ".join(asked[-NOTES_TOLD:])
        more = len(asked) - NOTES_TOLD
        yield f"Dashed: {told}{f' and {more} before' if more > 0 else ''}."
    if not moment.rows["observed"].all():
        yield "Hatched: not recorded."
    if moment.synthetic:
        yield "The recording is synthetic."
