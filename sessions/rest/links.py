"""REST calls about links that can only look."""

from __future__ import annotations

from datetime import UTC, datetime

from sessions.links import Link
from sessions.rest.context import Context
from sessions.rest.models.links import LinkAnswer, LinkList, LinkRevoked
from sessions.rest.requests import LinkAsk


def make_link(context: Context, asked: LinkAsk) -> LinkAnswer:
    """Make a link that can only look: at one session's plots and scores, or at all and their wall.

    Who has it needs no token, and can change nothing: pages without controls, and what draws them, are
    all that the server answers it. It is of the session's code, and ends with the server at the latest.
    Where a server has no token, anybody can do all else too.
    """
    if asked.session is not None:
        context.store.entry(asked.session)
    (link,) = context.links.make(asked.session)
    return _answer(context, link)


def list_links(context: Context) -> LinkList:
    """All links that can look, with their addresses."""
    found = [_answer(context, link) for link in context.links.all]
    return LinkList(links=found, count=len(found))


def revoke_link(context: Context, link: str) -> LinkRevoked:
    """Let nobody look by this link any more; pages that are open by it end at once."""
    return LinkRevoked(status="revoked", id=context.links.revoke(link).id)


def _answer(context: Context, link: Link) -> LinkAnswer:
    return LinkAnswer(
        id=link.id,
        session=link.session,
        url=context.look(link),
        created_at=datetime.fromtimestamp(link.created, UTC),
    )
