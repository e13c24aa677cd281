"""REST calls that calibrate: start a run, follow it, take its results, cancel it."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from engine.calibration.frozen import Scores
from engine.calibration.run import Plan, prepare
from engine.calibration.split import balanced_split, given_split
from engine.decoders import DECODERS
from engine.errors import NotNow
from engine.plugins import OPTION, VARIABLE
from engine.sources.electrodes.settings import Electrodes
from engine.sources.recordings.recording import Recording
from sessions.calibrations import Calibrations, Run
from sessions.commands.client import URL
from sessions.electrodes import n_channels_of
from sessions.recordings import refuse_without_spikes
from sessions.rest.context import Context, Text
from sessions.rest.library import NPZ
from sessions.rest.models.calibrations import (
    CalibrationAnswer,
    CalibrationAsk,
    CalibrationList,
    ChoiceAnswer,
    FigureQuery,
    ScoresAnswer,
    SplitAnswer,
    TargetBalance,
)
from sessions.rest.models.scores import FloorsAnswer
from sessions.rest.models.sessions import Deleted
from sessions.rest.pictures import studio_of
from sessions.studio import Kind

ROOT = Path(__file__).parents[2]
FROZEN = "Nothing was learned from the test trials: the decoder was never told their truth."
ADAPTIVE = " This one goes on learning in a session that tells it the truth; here it stood still."
ADAPTS = " It has followed their counts, at each level from what it had learned on."


def start_calibration(context: Context, asked: CalibrationAsk) -> CalibrationAnswer:
    """Fit a decoder, freeze it, and test it on trials that it has never seen.

    It is tested undisturbed and at each level of perturbation, in a process of its own; one run is
    under way at a time. What is found at electrodes is made first: meanwhile the answer is 503, and
    `Retry-After` says when to ask again.
    """
    calibrations = _calibrations(context)
    recording = _learned_from(context, asked)
    if asked.train_trials or asked.test_trials:
        split = given_split(recording, asked.train_trials, asked.test_trials)
    else:
        split = balanced_split(recording, asked.train_share, asked.seed)
    order = prepare(recording, split, asked.decoder, asked.settings, asked.seed)
    return _answer(context, calibrations.start(*order))


def _learned_from(context: Context, asked: CalibrationAsk) -> Recording:
    """The recording, or what is found at electrodes, which may have to be made first."""
    found = context.decoding.found
    if asked.session is not None:
        session = context.session(asked.session)
        recording = context.store.recording_named(session.options.recording)
        return found.learned_from(session, recording)
    recording = context.store.recording_named(asked.recording)
    if asked.electrodes is None:
        refuse_without_spikes(recording)
        return recording
    return found.moved(recording, Electrodes(n_channels=n_channels_of(str(asked.electrodes))))


def list_calibrations(context: Context) -> CalibrationList:
    """The last runs of this server, the oldest first."""
    runs = [_answer(context, run) for run in _calibrations(context)]
    return CalibrationList(calibrations=runs, count=len(runs))


def show_calibration(context: Context, calibration: int) -> CalibrationAnswer:
    """One run: how far it is, what it was given, and its table."""
    return _answer(context, _calibrations(context).get(calibration))


def delete_calibration(context: Context, calibration: int) -> Deleted:
    """Cancel a run if it is under way, and forget it."""
    _calibrations(context).forget(calibration)
    return Deleted(status="deleted", message=f"Calibration {calibration} is forgotten.")


def get_model(context: Context, calibration: int) -> Text:
    """The trained decoder, for `serve.py decode --model`."""
    return Text(_calibrations(context).get(calibration).model, NPZ)


def get_table(context: Context, calibration: int) -> Text:
    """The table: a line for each level, R2 and RMSE as mean over x and y and for each axis."""
    lines = [_columns(scores) for scores in _done(context, calibration).scores]
    file = io.StringIO()
    writer = csv.DictWriter(file, lines[0])
    writer.writeheader()
    writer.writerows(lines)
    return Text(file.getvalue().encode(), "text/csv")


def get_png(context: Context, calibration: int, asked: FigureQuery) -> Text:
    """The result at a glance: R2 by level, and true and decoded paths of a few test trials."""
    return Text(_draw(context, calibration, asked, "png"), "image/png")


def get_svg(context: Context, calibration: int, asked: FigureQuery) -> Text:
    """The same, to be edited or scaled; its texts are text."""
    return Text(_draw(context, calibration, asked, "svg"), "image/svg+xml")


def _draw(context: Context, number: int, asked: FigureQuery, kind: Kind) -> bytes:
    outcome = _done(context, number).outcome
    if not asked.alone:
        outcome = _calibrations(context).outcome(number)
    return studio_of(context).draw(outcome, (), kind, asked.theme, asked.width)


def _calibrations(context: Context) -> Calibrations:
    if context.calibrations is None:
        raise NotNow("This server calibrates nothing. Start it with serve.py.")
    return context.calibrations


def _done(context: Context, number: int) -> Run:
    run = _calibrations(context).get(number)
    if run.state != "done":
        raise NotNow(f"Calibration {number} is {run.state}. Its results are there once it is done.")
    return run


def decode_command(context: Context, options: str) -> str:
    """What people type to start a decoder beside this server, in its folder or on another machine."""
    url = context.stream.removesuffix("/stream")
    elsewhere = "" if url.replace("//localhost:", "//127.0.0.1:") == URL else f" --url {url}"
    return f"{_python()} serve.py decode {options}{elsewhere}"


def _python() -> str:
    """That of the folder's own environment, if it runs this server."""
    own = Path(sys.executable)
    own = own.with_name(f"python{own.suffix if own.suffix == '.exe' else ''}")
    return own.relative_to(ROOT).as_posix() if own.is_relative_to(ROOT) else "python"


def _answer(context: Context, run: Run) -> CalibrationAnswer:
    plan = run.plan
    name = run.model_name
    choices = run.fitted.choices if run.fitted else ()
    unkept = run.fitted.unkept if run.fitted else ""
    how = _again(plan) if unkept else f"--model {name}"
    plugins = f" {OPTION} FOLDER" if os.environ.get(VARIABLE) else ""
    return CalibrationAnswer(
        id=run.number,
        state=run.state,
        error=run.error,
        progress=run.progress,
        created_at=datetime.fromtimestamp(run.created, UTC),
        recording=plan.recording,
        length_unit=plan.length_unit,
        decoder=plan.decoder,
        settings={**plan.settings, **{each.name: each.value for each in choices}},
        choices=[ChoiceAnswer.model_validate(each) for each in choices],
        seed=plan.seed,
        split=_split(plan),
        fit_seconds=run.fitted.seconds if run.fitted else None,
        table=[ScoresAnswer.model_validate(each) for each in run.scores],
        floors=None if run.floors is None else FloorsAnswer.model_validate(run.floors),
        note=FROZEN
        + (ADAPTIVE if DECODERS[plan.decoder].uses_truth else "")
        + (ADAPTS if DECODERS[plan.decoder].adapts else "")
        + (f" {unkept}" if unkept else ""),
        model_file=None if unkept or run.state == "failed" else name,
        command=decode_command(context, f"--session CODE {how}{plugins}"),
    )


def _again(plan: Plan) -> str:
    """Options with which a decoder learns the same again."""
    given = ((name, value) for name, value in plan.settings.items() if value is not None)
    settings = "".join(f" --set {name}={value}" for name, value in given)
    return f"--decoder {plan.decoder}{settings} --train {_ranges(plan.split.train)}"


def _ranges(ids: Sequence[int]) -> str:
    """Ids in order, such as 0-3,7,9-12."""
    runs = [[*run] for _, run in groupby(enumerate(ids), lambda each: each[1] - each[0])]
    ends = [(run[0][1], run[-1][1]) for run in runs]
    return ",".join(f"{first}-{last}" if first != last else f"{first}" for first, last in ends)


def _split(plan: Plan) -> SplitAnswer:
    targets = [
        TargetBalance(
            target_x=each.place[0] if each.place else None,
            target_y=each.place[1] if each.place else None,
            train=each.train,
            test=each.test,
        )
        for each in plan.balance
    ]
    return SplitAnswer(
        train_trials=list(plan.split.train),
        test_trials=list(plan.split.test),
        train_bins=plan.n_train_bins,
        test_bins=plan.n_test_bins,
        targets=targets,
        **asdict(plan.apart),
    )


def _columns(scores: Scores) -> dict[str, str | float]:
    """A line of the table; a measure's mean has its name, its axes are named after it."""
    line: dict[str, str | float] = {}
    for name, value in asdict(scores).items():
        if isinstance(value, dict):
            line |= {name if part == "mean" else f"{name}_{part}": each for part, each in value.items()}
        else:
            line[name] = value
    return line
