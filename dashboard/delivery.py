"""Panel's messages to a page, none of which stays behind.

While something else is written to a page's socket, Panel queues what changes. The task that has written
the queue then clears its mark, even if more has been queued meanwhile; the task that was to write that
finds no mark and leaves it, until anything else is told to the page (Panel 1.9.4,
`panel.io.document._dispatch_msgs`).
"""

from __future__ import annotations

from bokeh.document import Document
from panel.io import document as panel_document

_dispatch = panel_document._dispatch_msgs


async def _dispatch_all(document: Document) -> None:
    """Write what is queued for a document, and what comes meanwhile."""
    await _dispatch(document)  # type: ignore[no-untyped-call]
    while panel_document._WRITE_MSGS.get(document) and document not in panel_document._WRITE_BLOCK:
        panel_document._WRITE_BLOCK[document] = True
        await _dispatch(document)  # type: ignore[no-untyped-call]


def deliver_all() -> None:
    """Have Panel write everything that it has queued."""
    panel_document._dispatch_msgs = _dispatch_all
