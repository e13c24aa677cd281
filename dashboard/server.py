"""The dashboard's server: Panel's, with pages of our own, the feed, and whatever else is passed in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bokeh.server.server import Server
from bokeh.server.views.doc_handler import DocHandler
from bokeh.server.views.ws import WSHandler
from panel.io.server import get_server

from dashboard.calibrate.application import CalibratePages
from dashboard.documents import WithPolicy, application
from dashboard.drive.application import DrivePages
from dashboard.explore import explore_application
from dashboard.frames import Frames
from dashboard.home.application import HomePages
from dashboard.live.application import LivePages
from dashboard.live.page import MakeCard, Parts
from dashboard.runs.application import RunsPages
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

Pattern = tuple[Any, ...]
"""A route as Tornado takes it."""


NEEDLESS = re.compile(r"^/components/|/autoload\.js\$?$")
"""Routes that our pages do without: Panel's imports any module that an address names, Bokeh's puts pages
into those of other sites."""


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
        Panel applications by path.
    **options
        As `panel.io.server.get_server` takes them.

    Raises
    ------
    OSError
        If the port is taken.
    """
    store, prefix = context.store, context.prefix
    feed = {"store": store, "make_feed": feeds(lambda session: Frames(session, plotters))}
    live = LivePages(
        Parts(context, prefix, tuple(plotters), plugins or {}), lsl_name, gate.token is not None
    )
    routes: list[Pattern] = [
        (r"/feed/([A-Za-z0-9_-]{1,64})", FeedHandler, feed),
        *extra_patterns,
    ]
    pages: dict[str, Any] = {
        "/": application(HomePages(context, prefix)),
        "/calibrate": application(CalibratePages(context, prefix)),
        "/live": application(live),
        "/drive": application(DrivePages(context, prefix, tuple(plotters))),
        "/runs": application(RunsPages(context, prefix)),
        "/explore": explore_application(store, prefix),
        **(applications or {}),
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
        **{"unused_session_lifetime_milliseconds": UNUSED, **options},
    )
    router = server._tornado.wildcard_router
    for rule in router.rules:
        for kind, extension in ((WSHandler, WithoutTracebacks), (DocHandler, WithPolicy)):
            if isinstance(rule.target, type) and issubclass(rule.target, kind):
                rule.target = type(f"Our{kind.__name__}", (extension, rule.target), {})
    router.rules = [rule for rule in router.rules if not _is_needless(rule)]
    admission = Admission()
    admission.guard(server._http)
    server._http.request_callback = Gate(server._tornado, gate, admission, prefix)
    return server


class WithoutTracebacks:
    """For Bokeh's sockets: what went wrong is for the log. Bokeh sends browsers its traceback and paths."""

    async def send_message(self, message: Any) -> None:
        if message.msgtype == "ERROR":
            message.content = {"text": "That could not be done. Load the page again.", "traceback": None}
        await super().send_message(message)  # type: ignore[misc]


def _is_needless(rule: Any) -> bool:
    return NEEDLESS.search(rule.matcher.regex.pattern) is not None


async def close_server(server: Server) -> None:
    """Take no more connections and end those that there are; Bokeh's `stop` leaves them open."""
    server.stop()
    await server._http.close_all_connections()
