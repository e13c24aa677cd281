"""What joins the page and Python: the tape that is drawn, and whatever the page asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

RESOURCES = Path(__file__).parents[2] / "resources"


class Tape(JSComponent):
    """The recording as a tape, with the position on it (`resources/tape.js`).

    Its messages are dictionaries of one entry: ``seek`` (a bin), ``key`` (with ``at``, the bin that is
    shown), ``target`` (clicked in the arena), ``open`` (a card), ``theme``, ``layout``.

    Parameters
    ----------
    hear : function
        Called with each message.
    """

    recording = param.Dict(default={}, doc="As `dashboard.live.reel.tape` has it.")
    spans = param.List(default=[], doc="The selected bins.")
    failures = param.List(default=[], doc="Which of the trials have failed, by their places among them.")
    errors = param.List(default=[], doc="As `dashboard.live.trial_list.errors` has them.")
    marks = param.List(default=[], doc="Places by the bin, each with its text and its colour's role.")
    flags = param.Dict(default={}, doc="Data attributes of the page's body.")

    _esm = (RESOURCES / "tape.js").read_text()

    def __init__(self, hear: Callable[[Mapping[str, Any]], None], **params: Any) -> None:
        super().__init__(**params)
        self._hear = hear

    def _handle_msg(self, data: Any) -> None:
        if isinstance(data, dict):
            self._hear(data)
