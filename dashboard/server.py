"""The dashboard's server: Panel's, with pages of our own, the feed, and whatever else is passed in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bokeh.server.server import Server
from panel.io.server import get_server

from dashboard.calibrate.application import CalibratePages
from dashboard.documents import application
from dashboard.drive.application import DrivePages
from dashboard.explore import explore_application
from dashboard.frames import Frames
from dashboard.hardening import harden
from dashboard.home.application import HomePages
from dashboard.live.application import LivePages
from dashboard.live.looking import LookingPages
from dashboard.live.page import MakeCard, Parts
from dashboard.panel_thread import PanelThread, Tunnel
from dashboard.plain import PlainHandler
from dashboard.printing import Sheets
from dashboard.runs.application import RunsPages
from dashboard.wall.application import WallPages
from dashboard.wall.feed import WallFeed, WallHandler
from plotters import PLOTTERS
from plotters.base import Plotter
from sessions.gate import Admission, Gate, Rules
from sessions.rest.context import Context
from sessions.streams.feed import feeds
from sessions.streams.feed_socket import FeedHandler
from sessions.streams.stream import MAX_MESSAGE

RESOURCES = Path(__file__).parent.parent / "resources"

UNUSED = 20_000
"""Milliseconds in which a page must have connected: a browser may be slow, or busy with another page."""
LOOKED_FOR = 2000
"""Milliseconds between looks for closed pages: the more there are, the longer garbage collections take."""

Pattern = tuple[Any, ...]
"""A route as Tornado takes it."""


class Unprinted(dict[str, Any]):
    """A handler's arguments. Bokeh prints all routes for its debug log: with REST's, 1.5 s of work."""

    __repr__ = object.__repr__


def build_server(
    context: Context,
    *,
    port: int,
    address: str | None = None,
    gate: Rules,
    lsl_name: str | None = None,
    plotters: Sequence[type[Plotter]] = PLOTTERS,
    plugins: Mapping[str, MakeCard] | None = None,
    extra_patterns: Sequence[Pattern] = (),
    applications: Mapping[str, Any] | None = None,
    spare: bool = False,
    **options: Any,
) -> Server:
    """Make the dashboard's server; it listens at once and serves on the current thread's event loop.

    Parameters
    ----------
    context : Context
        The server: its sessions and what works for them, its ports and the paths of a proxy.
    port : int
        0 for any that is free.
    address : str, optional
        All interfaces if None.
    gate : sessions.gate.Rules
        Who may come in.
    lsl_name : str, optional
        What LSL streams' names begin with; None if LSL is off.
    plotters : sequence of Plotter types
        As the page shows them.
    plugins : mapping, optional
        Functions that make cards of the live page, by name.
    extra_patterns : sequence of tuple
        Further routes, such as REST's.
    applications : mapping, optional
        Panel applications by path, for the loop of their own.
    spare : bool
        Whether a page of Explore is made before anybody asks for it.
    **options
        As `panel.io.server.get_server` takes them.

    Raises
    ------
    OSError
        If the port is taken.
    """
    store, prefix = context.store, context.prefix
    make_feed = feeds(lambda session: Frames(session, plotters))
    feed = {"store": store, "make_feed": make_feed, "links": gate.links}
    guarded, parts = gate.token is not None, Parts(context, prefix, tuple(plotters), plugins or {})
    live, wall = LivePages(parts, lsl_name, guarded), WallPages(context, prefix)
    sheets = Sheets(context, prefix, address or "", guarded)
    routes: list[Pattern] = [
        (r"/feed/([A-Za-z0-9_-]{1,64})", FeedHandler, feed),
        (r"/wall/feed", WallHandler, {"feed": WallFeed(store), "links": gate.links}),
        (r"/look/session", PlainHandler, {"make": LookingPages(parts, live)}),
        (r"/look/wall", PlainHandler, {"make": wall.looking}),
        (r"/print", PlainHandler, {"make": sheets}),
        *extra_patterns,
    ]
    panel = PanelThread(
        {"/explore": explore_application(store, prefix), **(applications or {})},
        (lambda: not store.listened_to) if spare else None,
        websocket_max_message_size_bytes=MAX_MESSAGE,
        unused_session_lifetime_milliseconds=UNUSED,
        check_unused_sessions_milliseconds=LOOKED_FOR,
    )
    routes += [(path + end, Tunnel, {"thread": panel}) for path in panel.paths for end in ("", "/ws")]
    pages: dict[str, Any] = {
        "/": application(HomePages(context, prefix)),
        "/calibrate": application(CalibratePages(context, prefix)),
        "/live": application(live),
        "/drive": application(DrivePages(context, prefix, tuple(plotters))),
        "/runs": application(RunsPages(context, prefix)),
        "/wall": application(wall),
    }
    server: Server = get_server(
        pages,
        port=port,
        address=address,
        extra_patterns=[(path, handler, Unprinted(*more)) for path, handler, *more in routes],
        static_dirs={"resources": str(RESOURCES)},
        ico_path="none",
        use_index=False,
        websocket_max_message_size=MAX_MESSAGE,
        **{
            "unused_session_lifetime_milliseconds": UNUSED,
            "check_unused_sessions_milliseconds": LOOKED_FOR,
            **options,
        },
    )
    harden(server._tornado)
    server._tornado.settings["panel"] = panel
    panel.start()
    admission = Admission()
    admission.guard(server._http)
    server._http.request_callback = Gate(server._tornado, gate, admission, prefix)
    return server


async def close_server(server: Server) -> None:
    """Take no more connections and end those that there are; Bokeh's `stop` leaves them open."""
    await asyncio.to_thread(server._tornado.settings["panel"].stop)
    server.stop()
    await server._http.close_all_connections()
