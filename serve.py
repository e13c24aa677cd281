"""PhantomDeck's command line: loads the recordings and serves both ports."""

from __future__ import annotations

import os
import signal
import sys

if __name__ == "__main__" and sys.argv[1:2] not in (["check"], ["decode"], ["finish"]):
    for each in (signal.SIGINT, signal.SIGTERM):  # from now on: what follows takes a while to load
        signal.signal(each, lambda *_: os._exit(0))

from engine import plugins
from engine.errors import DeckError

try:
    # First of all: what follows builds its forms and models from what there is. Processes that this one
    # spawns come here, too, and find the folder in the environment.
    PLUGINS = plugins.load(plugins.asked(sys.argv[1:] if __name__ == "__main__" else ()))
except DeckError as error:
    print(f"serve.py: {error}", file=sys.stderr)
    sys.exit(2)

import asyncio
import gc
import logging
import secrets
import socket
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tornado.netutil import bind_sockets

from engine import scheduling
from engine.errors import BadSetting
from engine.files.sealed import passphrase_here
from engine.moment import Moment
from sessions.announcing import announce, own_url
from sessions.archive import Archive
from sessions.brokers.elsewhere import PublishingBroker
from sessions.calibrations import Calibrations
from sessions.configured import (
    brokers_of,
    decoding_of,
    floors_of,
    load,
    lsl_inlet,
    records_of,
    sinks,
    sources,
)
from sessions.ending import Ending, interrupt, leave
from sessions.garbage import Garbage
from sessions.gate import Rules
from sessions.gate.configured import certificate, certificate_text, lacks_token, rules, secret
from sessions.gate.redaction import hide
from sessions.launcher import Launcher
from sessions.rest.context import Context
from sessions.rest.handler import rest_rules
from sessions.runs import Runs
from sessions.server import StreamServer, http_limits, stream_rules
from sessions.settings import Settings, settings
from sessions.store import Store
from sessions.studio import Studio

log = logging.getLogger("phantomdeck")

WARM_AFTER = 10.0
"""Seconds after the start until the process that draws loads unasked: the first page comes first."""
SWITCH_INTERVAL = 0.0002
"""Seconds a thread keeps the interpreter while another wants it; Python's 5 ms would make ticks late."""
GOODBYE_WITHIN = 2.0
"""Seconds that clients get to answer a close."""
FINISH_WITHIN = 5.0
"""Seconds that records get to be finished before the server goes; the next start finishes the others."""
LEAVE_WITHIN = 1.0
"""Seconds that threads get when all is closed: what still reads a recording is for nobody."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    try:
        if arguments[:1] == ["check"]:
            from sessions.commands.check import (
                main as check,  # a client: it needs nothing that a server loads
            )

            return check(arguments[1:])
        if arguments[:1] == ["compare"]:
            from sessions.commands.compare import main as compare

            return compare(arguments[1:], figure_of)
        if arguments[:1] == ["finish"]:
            from sessions.commands.finish import main as finish

            return finish(arguments[1:])
        if arguments[:1] == ["decode"]:
            from sessions.commands.decode import main as decode

            return decode(arguments[1:])
        return run(settings(arguments))
    except DeckError as error:
        print(f"serve.py: {error}", file=sys.stderr)
        return 2


def figure_of(results: Any, about: Mapping[str, Any], kind: Any) -> bytes:
    """Draw a comparison; what draws is loaded for those alone who want a figure."""
    from dashboard.theme import COLOURS
    from plotters.pictures.comparison import draw

    return draw(results, about, kind, COLOURS["light"])


def run(chosen: Settings) -> int:
    """Load, then serve until SIGINT or SIGTERM, which end it whatever it is doing."""
    ending = Ending()
    ending.on_signal(interrupt)
    try:
        return _run(chosen, ending)
    except KeyboardInterrupt:
        return 0
    finally:
        if ending.begun.is_set():  # what libraries make of an interrupt is not to be seen
            leave()


def _run(chosen: Settings, ending: Ending) -> int:
    """Load, then serve."""
    logging.basicConfig(level=chosen.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if chosen.log_level == "INFO":
        logging.getLogger("tornado.access").setLevel(logging.WARNING)  # a line a request is DEBUG's
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.disable()  # until all is loaded: the collector stops every thread
    made = secrets.token_urlsafe() if lacks_token(chosen) else None
    if token := secret(chosen, made):
        hide(token)
    gate, tls = rules(chosen, made), certificate(chosen)
    sockets = listen(chosen.host, chosen.port, "--port")
    for each in listen(chosen.host, chosen.dashboard_port, "--dashboard-port"):
        each.close()  # the dashboard's server binds it anew; this was to know before loading
    if PLUGINS:
        from plotters import with_plugins  # not without need: it loads Bokeh

        with_plugins(PLUGINS)  # to know before loading
    brokers, playable = brokers_of(chosen), sources(chosen, PLUGINS)
    runs = Runs(records_of(chosen) / "runs.sqlite")
    store = Store(
        load(chosen),
        max_sessions=chosen.max_sessions,
        max_per_address=chosen.sessions_per_address,
        max_clients=chosen.clients_per_session,
        ttl=chosen.session_ttl,
        make_sinks={**sinks(chosen, PLUGINS), **{broker.name: broker.sink for broker in brokers}},
        make_inlet=lsl_inlet() if chosen.lsl_enabled else None,
        sources=playable,
        keep=runs.keep,
        floors=floors_of(chosen),
    )
    real_time = chosen.real_time and scheduling.real_time()
    log.info("Scheduled %s", "in real time" if real_time else "as other programs are")
    for broker in brokers:
        broker.start(store)
    asyncio.run(serve(chosen, store, runs, sockets, gate, tls, made, ending, brokers))
    return 0


def listen(host: str, port: int, option: str) -> list[socket.socket]:
    """Bound sockets.

    Raises
    ------
    BadSetting
        If the port is taken or the host is not ours.
    """
    try:
        return bind_sockets(port, host)
    except OSError as error:
        raise BadSetting(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with {option}."
        ) from None


def draw(subject: Any, *order: Any) -> bytes:
    """Draw a picture, in a process of its own: what this loads is not for the server."""
    if isinstance(subject, Moment):
        from plotters.pictures import page

        return page.draw(subject, *order)
    from plotters.pictures import calibration

    return calibration.draw(subject, *order)


def load_pictures() -> None:
    """Import what `draw` needs, in its process."""
    from plotters.pictures import calibration, page  # noqa: F401


def themes() -> Mapping[str, Mapping[str, Any]]:
    """Colours by theme, for pictures."""
    from dashboard.theme import roles  # loads Panel, which must not delay the streams

    return roles()


async def serve(
    chosen: Settings,
    store: Store,
    runs: Runs,
    sockets: Sequence[socket.socket],
    gate: Rules,
    tls: ssl.SSLContext | None,
    made_token: str | None,
    ending: Ending,
    brokers: Sequence[PublishingBroker],
) -> None:
    """Serve both ports until a signal comes, then say goodbye to everyone."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.call_soon_threadsafe(stopping.set)

    ending.on_signal(stop)
    studio = Studio(draw, themes, load=load_pictures)
    archive = Archive(records_of(chosen), passphrase_here())
    archive.finish_left()
    calibrations, decoding = Calibrations(), decoding_of(chosen)
    context = Context(
        store,
        chosen.port,
        chosen.dashboard_port,
        secure=tls is not None,
        prefix=chosen.prefix,
        stream_prefix=chosen.stream_prefix,
        studio=studio,
        archive=archive,
        runs=runs,
        launcher=Launcher(
            own_url(chosen),
            secret(chosen, made_token),
            certificate_text(chosen),
            records_of(chosen) / "logs",
        ),
        calibrations=calibrations,
        decoding=decoding,
        brokers=brokers,
        links=gate.links,
    )
    streams = StreamServer(
        store,
        [*stream_rules(store, chosen.stream_prefix), *rest_rules(context, home=True)],
        sockets,
        gate,
        tls,
        chosen.stream_prefix,
    )
    streams.start()  # before the dashboard, whose libraries take a while to load

    from dashboard import build_server, close_server
    from plotters import with_plugins

    pages = build_server(
        context,
        plotters=with_plugins(PLUGINS),
        plugins=plugins.cards(PLUGINS),
        port=chosen.dashboard_port,
        address=chosen.host,
        lsl_name=chosen.lsl_stream_name if chosen.lsl_enabled else None,
        gate=gate,
        spare=True,
        http_server_kwargs=http_limits(tls),
        extra_patterns=[*stream_rules(store, chosen.prefix), *rest_rules(context)],
    )
    pages.start()
    ending.on_signal(stop)  # again, as Panel has just set its own
    garbage = Garbage(lambda: store.listened_to)
    garbage.begin()
    tidying = asyncio.create_task(garbage.watch())
    announce(chosen, store.recording, made_token)
    warming = loop.call_later(WARM_AFTER, loop.run_in_executor, None, studio.warm)

    await stopping.wait()
    warming.cancel()
    tidying.cancel()
    log.info("Going down")
    studio.close()
    archive.hurry()
    closing = ThreadPoolExecutor(1, "closing")  # of its own: the loop's may all be reading
    await loop.run_in_executor(closing, calibrations.close)
    await loop.run_in_executor(closing, decoding.close)
    await loop.run_in_executor(closing, store.close, GOODBYE_WITHIN)
    for broker in brokers:
        await loop.run_in_executor(closing, broker.close)
    await loop.run_in_executor(closing, archive.close, FINISH_WITHIN)
    streams.stop(LEAVE_WITHIN)
    await close_server(pages)
    if gate.audit is not None:
        gate.audit.close()
    ending.within(LEAVE_WITHIN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
