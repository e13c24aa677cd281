"""REST calls about runs: what decoders have scored in sessions that are over, or just now."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime

from engine.sinks.record.export import plain
from sessions.refusals import NoRecords
from sessions.rest.context import Context, Text
from sessions.rest.models.runs import RunAnswer, RunDeleted, RunList
from sessions.rest.models.scores import MeasuresAnswer
from sessions.rest.requests import RunAsk, RunsQuery
from sessions.run_choice import Choice
from sessions.runs import Run, Runs


def list_runs(context: Context, asked: RunsQuery) -> RunList:
    """Every time a decoder was scored on 40 packets or more, with the settings of its session.

    A run is kept when its session ends or begins anew, or by `POST /api/sessions/{code}/runs`.
    """
    choice = Choice(asked.decoder, asked.recording, asked.tag)
    return _answers(runs_of(context).kept(choice, limit=asked.limit))


def keep_runs(context: Context, code: str) -> RunList:
    """Keep the scores of all decoders of a session as they are now."""
    runs = runs_of(context)
    return _answers(runs.get(run) for run in runs.add(context.session(code)))


def show_run(context: Context, run: int) -> RunAnswer:
    """One run."""
    return _answer(runs_of(context).get(run))


def annotate_run(context: Context, run: int, asked: RunAsk) -> RunAnswer:
    """Write notes or tags to a run; what is left out stays as it is."""
    return _answer(runs_of(context).annotate(run, asked.notes, asked.tags))


def delete_run(context: Context, run: int) -> RunDeleted:
    """Forget a run."""
    runs_of(context).delete(run)
    return RunDeleted(status="deleted", run=run)


def get_csv(context: Context, asked: RunsQuery) -> Text:
    """The same as a table for spreadsheets: a line a run, a column a score."""
    file = io.StringIO()
    writer = csv.writer(file)
    about = ("run", "ended", "decoder", "session", "recording", "sha256", "source", "seed", "notes")
    writer.writerow((*about, "tags", *MeasuresAnswer.model_fields))
    for run in list_runs(context, asked).runs:
        told = (getattr(run, name) for name in about)
        texts = (plain(each) if isinstance(each, str) else each for each in told)
        scores = (getattr(run.scores, name) for name in MeasuresAnswer.model_fields)
        writer.writerow((*texts, plain(" ".join(run.tags)), *scores))
    return Text(file.getvalue().encode(), "text/csv")


def runs_of(context: Context) -> Runs:
    """Where runs are kept.

    Raises
    ------
    NoRecords
        If there is no such place.
    """
    if context.runs is None:
        raise NoRecords("This server keeps no runs. Start it with --records FOLDER.")
    return context.runs


def _answers(runs: Iterable[Run]) -> RunList:
    found = [_answer(run) for run in runs]
    return RunList(runs=found, count=len(found))


def _answer(run: Run) -> RunAnswer:
    known = {name: run.scores.get(name) for name in MeasuresAnswer.model_fields}
    return RunAnswer(
        run=run.id,
        ended=datetime.fromtimestamp(run.ended, UTC),
        decoder=run.decoder,
        session=run.session,
        recording=run.recording,
        sha256=run.sha256,
        source=run.source,
        seed=run.seed,
        settings=dict(run.settings),
        scores=MeasuresAnswer.model_validate(known),
        notes=run.notes,
        tags=list(run.tags),
    )
