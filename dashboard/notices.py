"""Messages to one person: `pn.state.notifications` of our own pages, shown by the page itself.

Panel's own are drawn by code that is put together in the browser, which the pages' policy forbids.
"""

from __future__ import annotations

from typing import Any

from panel.custom import JSComponent
from panel.io.notifications import NotificationAreaBase
from panel.io.state import state


class Notices(NotificationAreaBase, JSComponent):
    """Hands messages to the page (`resources/page.js`)."""

    _esm = """
    export function render({ model }) {
      const tell = (detail) => document.dispatchEvent(new CustomEvent("deck:notice", { detail }));
      model.on("msg:custom", tell);
    }
    """

    def send(
        self,
        message: str,
        duration: int = 0,
        type: str | None = None,  # noqa: A002
        background: str | None = None,  # noqa: ARG002
        icon: str | None = None,  # noqa: ARG002
    ) -> Any:
        """Show a line until it is taken away, or for so many milliseconds."""
        self._send_msg({"text": message, "type": type or "info", "duration": duration})

    def clear(self) -> None:
        """Take away what is shown."""
        self._send_msg({"text": ""})

    def go(self, url: str) -> None:
        """Open another page in place of this one."""
        self._send_msg({"go": url})

    def copy(self, text: str) -> None:
        """Put a text on the clipboard, where the browser lets pages do that."""
        self._send_msg({"copy": text})

    def hand_over(self, name: str, content: bytes) -> None:
        """Have the browser save a file."""
        self._send_msg({"save": name, "content": content})


def notices() -> Notices:
    """Those of the document that is made."""
    made = Notices()  # type: ignore[no-untyped-call]
    if state.curdoc is not None:
        state._notifications[state.curdoc] = made
    return made
