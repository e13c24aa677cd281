"""REST calls that answer with a picture of a session's newest seconds.

The copy of the ring is all that is done here; the studio's process draws.
"""

from __future__ import annotations

from engine.moment import Moment, take_moment
from sessions.refusals import NotDrawn
from sessions.rest.context import Context, Text
from sessions.rest.requests import SnapshotQuery
from sessions.session import Session
from sessions.studio import Kind, Studio


def show_png(context: Context, code: str, asked: SnapshotQuery) -> Text:
    """The newest seconds as they were sent, perturbation included, for a slide.

    Session, recording, time and perturbation stand in the caption.
    """
    return Text(_draw(context, code, asked, "png"), "image/png")


def show_svg(context: Context, code: str, asked: SnapshotQuery) -> Text:
    """The same, to be edited or scaled; its texts are text."""
    return Text(_draw(context, code, asked, "svg"), "image/svg+xml")


def show_pdf(context: Context, code: str, asked: SnapshotQuery) -> Text:
    """The same, for paper."""
    return Text(_draw(context, code, asked, "pdf"), "application/pdf")


def moment_of(session: Session, seconds: float) -> Moment:
    """The newest seconds of a session, copied."""
    return take_moment(
        session.code, session.replay, session.predictions, session.scores.latest(), session.view, seconds
    )


def studio_of(context: Context) -> Studio:
    """What draws.

    Raises
    ------
    NotDrawn
        If there is none.
    """
    if context.studio is None:
        raise NotDrawn("This server draws no pictures. Start it with serve.py.")
    return context.studio


def _draw(context: Context, code: str, asked: SnapshotQuery, kind: Kind) -> bytes:
    session = context.session(code)
    moment = moment_of(session, asked.seconds)
    return studio_of(context).draw(moment, asked.plots, kind, asked.theme, asked.width)
