"""Play, pause, stop, step, position, trial, speed and loop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.live.controls import Controls, button, flow
from dashboard.live.reel import Reel
from engine.bins.source import Capability
from engine.deck.transport import MAX_SPEED, MIN_SPEED, Speed
from engine.errors import BadSetting, OutsideSelection
from sessions.session import Session

LABELS: Final[Mapping[str, str]] = {"playing": "Pause", "ended": "Play again"}
SLOWEST, FASTEST = math.log10(MIN_SPEED), math.log10(MAX_SPEED)


class Transport(Controls):
    """Drives a session."""

    speed: Any = param.Number(
        default=1.0,
        bounds=(MIN_SPEED, MAX_SPEED),
        allow_None=True,
        label="Speed",
        doc="Times real time.",
    )
    decades = param.Number(default=0.0, bounds=(SLOWEST, FASTEST), step=0.01, label="Speed")
    at_max = param.Boolean(default=False, label="Max", doc="As fast as the listeners take it.")
    loop = param.Boolean(default=True, label="Loop", doc="Start again at the end.")
    state = param.String(default="idle")
    trial = param.String(default="", label="Go to trial", doc="The number of a trial.")

    def __init__(self, session: Session) -> None:
        self._play = button("Play", self.toggle, "play", primary=True)
        super().__init__(session)

    def read(self) -> dict[str, Any]:
        replay = self.session.replay
        speed = replay.speed
        known: dict[str, Any] = {"at_max": speed == "max", "loop": replay.loop, "state": replay.state}
        if speed != "max":
            known |= {"speed": float(speed), "decades": math.log10(float(speed))}
        return known

    def write(self, changes: Mapping[str, Any]) -> None:
        replay = self.session.replay
        for name, value in changes.items():
            match name:
                case "loop":
                    replay.set_loop(value)
                case "at_max":
                    replay.set_speed("max" if value else self.speed)
                case "speed":
                    replay.set_speed(value)
                case "decades":
                    replay.set_speed(_rounded(10**value))
                case "trial" if value:
                    self._go_to_trial(value)

    def follow(self) -> None:
        super().follow()
        self._play.param.update(label=self._label(), disabled=self.state == "failed")

    def view(self) -> Viewable:
        replay = self.session.replay
        widgets = pn.widgets
        offered: dict[Capability, tuple[Any, ...]] = {
            "step": (button("Step", replay.step),),
            "seek": (
                button("Previous trial", partial(self._trials, -1), "arrow", "back"),
                widgets.TextInput.from_param(
                    self.param.trial, description=None, placeholder="number", width=90
                ),
                button("Next trial", partial(self._trials, 1), "arrow", "on"),
            ),
            "speed": (
                widgets.FloatSlider.from_param(
                    self.param.decades, show_value=False, width=140, css_classes=["pace"]
                ),
                widgets.FloatInput.from_param(self.param.speed, description=None, width=80),
                widgets.Switch.from_param(self.param.at_max),
            ),
            "loop": (widgets.Switch.from_param(self.param.loop),),
            "select": (
                button("A", self.begin_here, "end"),
                button("B", self.end_here, "end"),
                button("Clear", self.clear_ends),
            ),
        }
        can = replay.source.can
        self._briefly = [self._play, button("Stop", replay.stop)]
        self._whole = [
            *self._briefly,
            *(each for what, made in offered.items() if what in can for each in made),
        ]
        self._row = flow(*self._whole)
        return self._row

    def present(self, briefly: bool) -> None:
        """Show *Play* and *Stop* alone, or all."""
        self._row.objects = self._briefly if briefly else self._whole

    # What the keyboard and the tape do

    def toggle(self) -> None:
        """Play or pause."""
        replay = self.session.replay
        replay.pause() if replay.state == "playing" else replay.resume()

    def press(self, key: str, at: int) -> None:
        """Do what a key stands for; the page shows bin `at`.

        Raises
        ------
        DeckError
            If the session refuses.
        """
        replay = self.session.replay
        second = round(self.session.description.bin_rate)
        match key:
            case " ":
                self.toggle()
            case ".":
                replay.step()
            case "Home":
                self.seek(0)
            case "ArrowLeft" | "ArrowRight":
                replay.seek(self._reel().away(at, -second if key == "ArrowLeft" else second))
            case "Shift+ArrowLeft" | "Shift+ArrowRight":
                self._trials(-1 if key == "Shift+ArrowLeft" else 1, at)
            case "b":
                bookmark(self.session, at)
            case "+" | "-":
                replay.set_speed(_rounded(self.speed * (2 if key == "+" else 0.5)))

    def seek(self, bin_: int) -> None:
        """Go to the selected bin that is nearest to another."""
        self.session.replay.seek(self._reel().nearest(bin_))

    # The stretch from A to B

    def begin_here(self) -> None:
        """Play from this bin on; an end that is before it is dropped."""
        here, last = self.session.replay.position().packet_id, self.session.replay.selection.last_packet
        self._play_stretch(here, last if last is not None and last >= here else None)

    def end_here(self) -> None:
        """Play up to this bin, again and again; a beginning that is after it is dropped."""
        here, first = self.session.replay.position().packet_id, self.session.replay.selection.first_packet
        self._play_stretch(first if first is not None and first <= here else None, here)
        self.session.replay.set_loop(True)

    def clear_ends(self) -> None:
        """Play all of what else is selected, from here on if it stood within."""
        here = self.session.replay.position().packet_id
        self._play_stretch(None, None)
        self.session.replay.seek(here)

    def _play_stretch(self, first: int | None, last: int | None) -> None:
        replay = self.session.replay
        replay.set_selection(replace(replay.selection, first_packet=first, last_packet=last))

    def _trials(self, n: int, at: int | None = None) -> None:
        here = self.session.replay.position().packet_id if at is None else at
        to = self._reel().trial_away(here, n)
        if to is None:
            raise OutsideSelection("No trial is selected. Change the selection.")
        self.session.replay.seek(to)

    def _go_to_trial(self, text: str) -> None:
        if not text.strip().isdecimal():
            raise BadSetting(f"{text.strip()[:40]!r} is no trial's number. Write one such as 12.")
        replay = self.session.replay
        replay.seek(replay.selection.first_bin(int(text), self.session.recording))

    def _reel(self) -> Reel:
        return Reel(self.session.replay.selection, self.session.recording)

    def _label(self) -> str:
        return LABELS.get(self.state, "Play")


def bookmark(session: Session, bin_: int) -> None:
    """Put a bookmark at a bin, or take it away."""
    session.change_view({"bookmarks": sorted({*session.view.bookmarks} ^ {bin_})})


def _rounded(speed: float) -> Speed:
    """Two digits, within bounds: as people say it."""
    return min(max(float(f"{speed:.2g}"), MIN_SPEED), MAX_SPEED)
