"""Who moves the cursor of a closed loop, and how: the driver, gain, smoothing and delay."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.live.controls import Controls, slider, stack
from dashboard.live.task import Task
from engine.sources.user.cursor import Steering
from engine.sources.user.source import SimulatedUser
from sessions.session import Session

FIRST: Final = "the first that answers"
SLIDERS: Final = {
    "gain": ("Gain", 0.05, 2.0, 0.05),
    "smoothing": ("Smoothing", 0.0, 0.99, 0.01),
    "delay": ("Delay, s", 0.0, 1.0, 0.025),
}
"""Label, ends and step of what people feel; the session takes more."""


class Driving(Controls):
    """The driver and the steering, which hold for everybody. Scores begin anew with every change."""

    driver: Any = param.Selector(default=FIRST, objects=[FIRST], label="Driver")
    gain = param.Number(default=0.0, doc=Steering.param.gain.doc)
    smoothing = param.Number(default=0.0, doc=Steering.param.smoothing.doc)
    delay = param.Number(default=0.0, doc=Steering.param.delay.doc)

    def __init__(self, session: Session) -> None:
        self._wanted: dict[str, Any] = {}
        self._lock = threading.Lock()  # guards it
        self._turn = threading.Lock()  # held while a change is made: they come in order
        self._task = Task()
        super().__init__(session)

    @property
    def _source(self) -> SimulatedUser:
        source = self.session.replay.source
        assert isinstance(source, SimulatedUser)
        return source

    def read(self) -> dict[str, Any]:
        source = self._source
        known = [FIRST, *self.session.predictions.names]
        driver = source.driver or FIRST
        self.param.driver.objects = known if driver in known else [*known, driver]
        return {"driver": driver, **source.steering.settings}

    def write(self, changes: Mapping[str, Any]) -> None:
        with self._lock:
            self._wanted |= changes
        self._task.start("", self._change, lambda _: self.follow())

    def view(self) -> Viewable:
        select = pn.widgets.Select.from_param(self.param.driver)
        return stack(select, *(slider(self, name, *SLIDERS[name]) for name in SLIDERS))

    def _change(self) -> None:
        """Do what is wanted by now; keeping the scores until then takes a moment."""
        with self._turn:
            with self._lock:
                wanted, self._wanted = self._wanted, {}
            if "driver" in wanted:
                driver = wanted.pop("driver")
                if driver != (self._source.driver or FIRST):
                    self.session.drive(None if driver == FIRST else driver)
            if wanted:
                self.session.steer(wanted)
