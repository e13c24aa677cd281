"""What a person at the arena can set: lost units, play and begin anew, and another task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import panel as pn
import param
from panel.io.state import state
from panel.viewable import Viewable

from dashboard.live.controls import Controls, button, flow, slider, stack
from dashboard.live.task import Task
from dashboard.notices import Notices
from sessions.rest.context import Context
from sessions.rest.lifecycle import create_session
from sessions.rest.models.sessions import Created
from sessions.rest.reading import checked
from sessions.rest.requests import Create
from sessions.session import Session

TASKS: Final = {
    "Center-out": "center_out",
    "Center-out and back": "center_out_and_back",
    "Random targets": "random",
    "The recording's targets": "recording",
}


class Losing(Controls):
    """How many of the units are silent."""

    lost = param.Number(default=0.0, bounds=(0.0, 1.0))

    def read(self) -> dict[str, Any]:
        model = self.session.replay.perturbation["unit_loss"]
        return {"lost": float(model["fraction"]) if model["enabled"] else 0.0}

    def write(self, changes: Mapping[str, Any]) -> None:
        share = changes["lost"]
        self.session.replay.set_perturbation({"unit_loss": {"enabled": share > 0, "fraction": share}})

    def view(self) -> Viewable:
        return slider(self, "lost", "Lost units, share", 0.0, 1.0, 0.05)


class Playing(Controls):
    """Play, pause, and begin anew with the next trial."""

    state = param.String(default="idle")

    def __init__(self, session: Session) -> None:
        self._play = button("Play", self._toggle, primary=True)
        self._task = Task()
        super().__init__(session)

    def read(self) -> dict[str, Any]:
        return {"state": self.session.replay.state}

    def follow(self) -> None:
        super().follow()
        self._play.label = "Pause" if self.state == "playing" else "Play"

    def view(self) -> Viewable:
        again = button("Start again", lambda: self._task.start("", self.session.restart, lambda _: None))
        return flow(self._play, again)

    def _toggle(self) -> None:
        replay = self.session.replay
        replay.pause() if replay.state == "playing" else replay.resume()


class Starting(param.Parameterized):
    """Makes a session for a hand, and opens its page.

    Parameters
    ----------
    context : Context
        The server, as the visitor sees it.
    mount : str
        Path under which a proxy has the pages.
    recording : str, optional
        The first if None.
    """

    task: Any = param.Selector(default="center_out", objects=TASKS, label="Task")

    def __init__(self, context: Context, mount: str, recording: str | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._context, self._mount, self._recording = context, mount, recording
        self._making = Task()

    def view(self) -> Viewable:
        make = button("New session to drive", self._make, primary=self._recording is None)
        return stack(flow(pn.widgets.Select.from_param(self.param.task), make), self._making.view())

    def _make(self) -> None:
        asked = {
            "source": "user:person",
            "recording": self._recording,
            "closed_loop": {"task": {"kind": self.task}},
        }
        make: Callable[[], Created] = lambda: start(self._context, checked(Create, asked))  # noqa: E731
        self._making.start("Making the session \N{HORIZONTAL ELLIPSIS}", make, self._open)

    def _open(self, made: Created) -> None:
        if isinstance(state.notifications, Notices):
            state.notifications.go(f"{self._mount}/drive?session={made.session_code}")


def start(context: Context, asked: Create) -> Created:
    """Make a session that plays."""
    made = create_session(context, asked)
    context.session(made.session_code).replay.resume()
    return made
