"""A sheet to print: a card for each session, with the address of its page as text and as a QR code."""

from __future__ import annotations

from dataclasses import dataclass, replace

import segno
from markupsafe import Markup

from dashboard.documents import Page, Visit
from dashboard.templates import templates
from dashboard.wall.choice import chosen
from sessions.announcing import network_address
from sessions.gate.hosts import is_loopback
from sessions.rest.context import Context

HERE_ALONE = (
    "This server can be reached from this machine alone: nobody else can open these addresses. "
    "Start it with --host 0.0.0.0, and print then."
)


@dataclass(frozen=True)
class Card:
    """What one seat gets.

    Attributes
    ----------
    code : str
    address : str
    picture : Markup
        The address as a QR code, in SVG.
    """

    code: str
    address: str
    picture: Markup


class Sheets:
    """Makes sheets.

    Parameters
    ----------
    context : Context
        The server.
    mount : str
        Path under which a proxy has the pages.
    listens_at : str
        The address at which the server listens.
    guarded : bool
        Whether pages ask for a token.
    """

    def __init__(self, context: Context, mount: str, listens_at: str, guarded: bool) -> None:
        self._context = context
        self._listens_at = listens_at
        self._guarded = guarded
        self._template = templates(mount).get_template("print.html")

    def __call__(self, visit: Visit) -> Page:
        """The cards of the sessions whose codes begin with the prefix that is asked for."""
        context = self._seen_by_others(visit.context(self._context))
        prefix, looking = visit.asked.get("prefix", "")[:64], bool(visit.asked.get("look_only"))
        codes = chosen(context.store.entries, prefix)
        told = {
            "prefix": prefix,
            "look_only": looking,
            "origin": context.dashboard,
            "cards": [card(code, address(context, code, looking=looking)) for code in codes],
            "asks": self._guarded and not looking,
            "warning": HERE_ALONE if is_loopback(context.host.strip("[]")) and not context.proxy else "",
        }
        return Page(self._template, told)

    def _seen_by_others(self, context: Context) -> Context:
        """Who prints on the server's own machine calls it by a name that others cannot use."""
        if is_loopback(context.host.strip("[]")) and not context.proxy:
            return replace(context, host=network_address(self._listens_at) or context.host)
        return context


def address(context: Context, code: str, *, looking: bool) -> str:
    """Of a session's page, or of that which can only look."""
    if looking:
        return context.look(context.links.to(code))
    return f"{context.dashboard}/live?session={code}"


def card(code: str, address: str) -> Card:
    """One card; the QR code stands a crease or a stain (error correction M)."""
    picture = segno.make_qr(address, error="m").svg_inline(
        scale=1, border=4, omitsize=True, dark="#000", light="#fff", svgclass="qr", lineclass=None
    )
    return Card(code, address, Markup(picture))
