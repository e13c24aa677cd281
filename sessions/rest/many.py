"""The REST call that makes many sessions alike, such as for a class."""

from __future__ import annotations

from engine.errors import DeckError
from sessions.rest.context import Context
from sessions.rest.lifecycle import created
from sessions.rest.models.sessions import CreatedMany, CreatedSeat
from sessions.rest.requests import CreateMany


def create_many(context: Context, asked: CreateMany) -> CreatedMany:
    """Make sessions that are alike, all or none, each with a link that can only look.

    They are called by the prefix and a number, such as `class-01` to `class-40`. None of them takes the
    place of another session.
    """
    codes = names(asked.prefix, asked.count)
    sessions = context.store.create_many(codes, asked.options(), context.address)
    try:
        links = context.links.to_each(*codes)
    except DeckError:
        for code in codes:
            context.store.delete(code)
        raise
    made = [
        CreatedSeat(
            **created(context, session, f"Session {session.code} is ready.").model_dump(),
            look_url=context.look(link),
        )
        for session, link in zip(sessions, links, strict=True)
    ]
    return CreatedMany(
        sessions=made,
        count=len(made),
        wall_url=f"{context.dashboard}/wall?prefix={asked.prefix}",
        print_url=f"{context.dashboard}/print?prefix={asked.prefix}",
    )


def names(prefix: str, count: int) -> list[str]:
    """Codes that are sorted as they are numbered."""
    n_digits = max(2, len(str(count)))
    return [f"{prefix}-{number:0{n_digits}d}" for number in range(1, count + 1)]
