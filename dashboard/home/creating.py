"""New sessions: the options that they can be made with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import panel as pn
import param
from panel.io.state import state
from panel.viewable import Viewable

from dashboard.live.controls import button, flow, stack
from dashboard.live.ids import parse_ids
from dashboard.live.task import Task
from dashboard.notices import Notices
from engine.deck.transport import MAX_SPEED, MIN_SPEED
from engine.errors import BadSetting
from engine.sources.user.user import PERSON
from engine.sources.user.user import PRESETS as USERS
from engine.stages.perturb import ALL_PRESETS
from sessions.rest.context import Context
from sessions.rest.lifecycle import create_session
from sessions.rest.models.sessions import Created
from sessions.rest.reading import checked
from sessions.rest.requests import Create
from sessions.sources import ELECTRODES, RECORDING, USER

NONE: Final = "none"
"""The preset that disturbs nothing."""
LSL: Final = {"automatic": None, "on": True, "off": False}


class Creating(param.Parameterized):
    """Makes a session, and opens its page.

    Parameters
    ----------
    context : Context
        The server, as the visitor sees it.
    recordings : iterable of str
        Names.
    mount : str
        Path under which a proxy has the pages.
    """

    code = param.String(default="", label="Code", doc="1 to 64 letters, digits, _ or -; made up if empty.")
    recording: Any = param.Selector(default="", objects=[""], label="Recording")
    source: Any = param.Selector(default=RECORDING, objects=[RECORDING], label="Source")
    speed: Any = param.Number(
        default=1.0, bounds=(MIN_SPEED, MAX_SPEED), allow_None=True, label="Speed", doc="Times real time."
    )
    at_max = param.Boolean(default=False, label="Speed max", doc="As fast as the listeners take it.")
    loop = param.Boolean(default=True, label="Loop", doc="Start again at the end.")
    lsl: Any = param.Selector(default="automatic", objects=[*LSL], label="LSL")
    preset: Any = param.Selector(default=NONE, objects=[*ALL_PRESETS], label="Perturbation")
    seed: Any = param.Integer(default=0, bounds=(0, None), allow_None=True, label="Seed")
    trials = param.String(default="", label="Trials, such as 1-20, 45")
    targets = param.String(default="", label="Targets, such as 0, 3")

    def __init__(self, context: Context, recordings: Iterable[str], mount: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._context = context
        self._mount = mount
        self._task = Task()
        self._options = stack()
        self._options.visible = False
        self.param.recording.objects = names = list(recordings)
        self.recording = names[0]
        self.param.source.objects = sources(context.store.sources.default)
        self.source = context.store.sources.default

    def view(self, *beside: Viewable) -> Viewable:
        """A button, and the options behind another."""
        more = pn.widgets.Toggle(label="Options of a new session", css_classes=["more"])
        more.param.watch(self._show, "value")
        make = button("New session", self._make, primary=True)
        return stack(flow(make, more, *beside), self._options, self._task.view())

    def asked(self) -> Create:
        """What REST would be asked for.

        Raises
        ------
        DeckError
            If that cannot be.
        """
        if self.speed is None or self.seed is None:
            raise BadSetting("Speed and seed are numbers, such as 1 and 0.")
        asked = {
            "custom_code": self.code.strip() or None,
            "recording": self.recording,
            "source": self.source,
            "lockstep": self.at_max and self.source.startswith(USER),
            "speed": "max" if self.at_max else float(self.speed),
            "loop": self.loop,
            "lsl": LSL[self.lsl],
            "seed": self.seed,
            "trial_ids": list(parse_ids(self.trials)),
            "target_ids": list(parse_ids(self.targets)),
        }
        return checked(
            Create, asked | ({} if self.preset == NONE else {"perturbation": {"preset": self.preset}})
        )

    def _make(self) -> None:
        asked = self.asked()
        self._task.start(
            "Making the session \N{HORIZONTAL ELLIPSIS}",
            lambda: create_session(self._context, asked),
            self.open,
        )

    def open(self, made: Created) -> None:
        """Its page, in place of this one."""
        if isinstance(state.notifications, Notices):
            state.notifications.go(f"{self._mount}/live?session={made.session_code}")

    def _show(self, event: Any) -> None:
        """Make the widgets when they are asked for."""
        if event.new and not self._options.objects:
            self._options.objects = [self._fields()]
        self._options.visible = event.new

    def _fields(self) -> Viewable:
        widgets, of = pn.widgets, self.param
        speed = widgets.FloatInput.from_param(of.speed, description=None)
        self.param.watch(lambda event: speed.param.update(disabled=event.new), "at_max")
        several = len(of.recording.objects) > 1
        return pn.Row(
            widgets.TextInput.from_param(of.code, placeholder="made up", description=None),
            *([widgets.Select.from_param(of.recording)] if several else []),
            widgets.Select.from_param(of.source),
            speed,
            widgets.Switch.from_param(of.at_max),
            widgets.Switch.from_param(of.loop),
            widgets.Select.from_param(of.lsl),
            widgets.Select.from_param(of.preset),
            widgets.IntInput.from_param(of.seed, description=None),
            widgets.TextInput.from_param(of.trials, placeholder="all"),
            widgets.TextInput.from_param(of.targets, placeholder="all"),
            css_classes=["many"],
        )


def sources(own: str) -> dict[str, str]:
    """What there is to choose from, by what people call it; `own` is the server's."""
    users = {f"simulated user, {each}": f"{USER}:{each}" for each in USERS if each != PERSON}
    known = {"the recording": RECORDING, **users, "a person's pointer": f"{USER}:{PERSON}"}
    known |= {"electrodes": ELECTRODES, "simulated user at electrodes": f"{USER}:{ELECTRODES}"}
    return known if own in known.values() else {f"this server's own: {own}": own, **known}
