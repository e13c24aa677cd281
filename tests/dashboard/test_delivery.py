"""What Panel has queued for a page while its socket was taken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from bokeh.document import Document
from bokeh.document.events import TitleChangedEvent
from bokeh.protocol import Protocol
from panel.io import document as panel_document

from dashboard.delivery import deliver_all


@dataclass(eq=False)
class Connection:
    """One that Panel writes to."""

    _socket: Socket
    protocol: Protocol = field(default_factory=Protocol)


class Socket:
    """Takes messages; writing one takes until it is told that it is through."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.through: list[asyncio.Future[None]] = []

    def take(self, _: Any, msg: Any) -> list[asyncio.Future[None]]:
        self.titles += [event["title"] for event in msg.content["events"]]
        self.through.append(asyncio.get_running_loop().create_future())
        return self.through[-1:]


def test_what_is_queued_as_the_writing_ends_is_written_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def queue_amid() -> list[str]:
        document, socket = Document(), Socket()
        connection: Any = Connection(socket)
        monkeypatch.setitem(panel_document.extra_socket_handlers, Socket, socket.take)

        def tell(title: str) -> None:
            panel_document.schedule_write_events(
                document, [connection], [TitleChangedEvent(document, title)]
            )

        tell("first")
        while not socket.through:
            await asyncio.sleep(0)
        socket.through[0].set_result(None)
        tell("second")
        for _ in range(20):  # turns of the loop, of which this takes a few
            await asyncio.sleep(0)
        for each in socket.through[1:]:
            each.set_result(None)
        return socket.titles

    deliver_all()
    assert asyncio.run(queue_amid()) == ["first", "second"]
