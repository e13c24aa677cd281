"""The dashboard's server: Panel's, with pages of our own, the feed, and whatever else is passed in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bokeh.server.server import Server
from bokeh.server.views.ws import WSHandler
from panel.io.server import get_server

from dashboard.explore import explore_application
from dashboard.frames import Frames
from dashboard.pages import Pages
from plotters import PLOTTERS
from plotters.base import Plotter
from sessions.gate import Admission, Gate, Rules
from sessions.rest.pages import PageHandler
from sessions.store import Store
from sessions.streams.feed import FeedHandler, feeds
from sessions.streams.stream import MAX_MESSAGE

RESOURCES = Path(__file__).parent.parent / "resources"

Pattern = tuple[Any, ...]
"""A route as Tornado takes it."""


NEEDLESS = re.compile(r"^/components/|/autoload\.js\$?$")
"""Routes that our pages do without: Panel's imports any module that an address names, Bokeh's puts pages
into those of other sites."""


class Unprinted(dict[str, Any]):
    """A handler's arguments. Bokeh prints all routes for its debug log: with REST's, 1.5 s of work."""

    __repr__ = object.__repr__


def patterns(
    store: Store,
    plotters: Sequence[type[Plotter]] = PLOTTERS,
    stream_port: int | None = None,
    lsl_name: str | None = None,
    guarded: bool = False,
    prefix: str = "",
    stream_prefix: str = "",
) -> list[Pattern]:
    """The routes of the dashboard: pages and the feed."""
    pages = Pages(store, plotters, stream_port, lsl_name, guarded, prefix, stream_prefix)
    feed = {"store": store, "make_feed": feeds(lambda session: Frames(session, plotters))}
    return [
        (r"/", PageHandler, {"render": pages.home}),
        (r"/calibrate", PageHandler, {"render": pages.calibrate}),
        (r"/live", PageHandler, {"render": pages.live}),
        (r"/feed/([A-Za-z0-9_-]{1,64})", FeedHandler, feed),
    ]


def build_server(
    store: Store,
    *,
    port: int,
    address: str | None = None,
    gate: Rules,
    stream_port: int | None = None,
    lsl_name: str | None = None,
    plotters: Sequence[type[Plotter]] = PLOTTERS,
    extra_patterns: Sequence[Pattern] = (),
    applications: Mapping[str, Any] | None = None,
    prefix: str = "",
    stream_prefix: str = "",
    **options: Any,
) -> Server:
    """Make the dashboard's server; it listens at once and serves on the current thread's event loop.

    Parameters
    ----------
    store : Store
    port : int
        0 for any that is free.
    address : str, optional
        All interfaces if None.
    gate : sessions.gate.Rules
        Who may come in.
    stream_port : int, optional
        For the addresses that pages show; `port` if None.
    lsl_name : str, optional
        What LSL streams' names begin with; None if LSL is off.
    plotters : sequence of Plotter types
        As the page shows them.
    extra_patterns : sequence of tuple
        Further routes, such as REST's.
    applications : mapping, optional
        Panel applications by path.
    prefix, stream_prefix : str
        Paths under which a proxy has the pages and the streams.
    **options
        As `panel.io.server.get_server` takes them.

    Raises
    ------
    OSError
        If the port is taken.
    """
    guarded = gate.token is not None
    routes = [
        *patterns(store, plotters, stream_port, lsl_name, guarded, prefix, stream_prefix),
        *extra_patterns,
    ]
    pages: dict[str, Any] = {"/explore": explore_application(store, prefix), **(applications or {})}
    server: Server = get_server(
        pages,
        port=port,
        address=address,
        extra_patterns=[(path, handler, Unprinted(*more)) for path, handler, *more in routes],
        static_dirs={"resources": str(RESOURCES)},
        ico_path="none",
        use_index=False,
        websocket_max_message_size=MAX_MESSAGE,
        **options,
    )
    router = server._tornado.wildcard_router
    for rule in router.rules:
        if isinstance(rule.target, type) and issubclass(rule.target, WSHandler):
            rule.target = type("PlainSocket", (WithoutTracebacks, rule.target), {})
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
