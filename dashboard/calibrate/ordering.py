"""What is to be calibrated, and how."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.calibrate.hyperparameters import Hyperparameters
from dashboard.live.controls import fields, flow, stack
from dashboard.live.ids import parse_ids
from engine.decoders import DECODERS
from engine.errors import BadSetting
from sessions.rest.models.calibrations import CalibrationAsk
from sessions.rest.reading import checked

USUAL: Final = "wiener"
RECORDED: Final = "the recording's"


class Ordering(param.Parameterized):
    """The choices of one page.

    Parameters
    ----------
    recordings : iterable of str
        Names.
    recording : str, optional
        The one to begin with.
    """

    recording: Any = param.Selector(default="", objects=[""], label="Recording")
    decoder: Any = param.Selector(default=USUAL, objects=[USUAL], label="Decoder")
    others: Any = param.ListSelector(default=[], objects=[USUAL], label="And these, on the same trials")
    share: Any = param.Number(
        default=75.0, bounds=(5.0, 95.0), step=5.0, allow_None=True, label="Trials to learn from, %"
    )
    seed: Any = param.Integer(default=0, bounds=(0, None), allow_None=True, label="Seed")
    train_trials = param.String(default="", label="Learn from trials")
    test_trials = param.String(default="", label="Test on trials")
    counts: Any = param.Selector(default="", objects={RECORDED: ""}, label="Counts")

    def __init__(self, recordings: Iterable[str], recording: str | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        names = list(recordings)
        self.param.recording.objects = names
        self.recording = recording if recording in names else names[0]
        known = {key.replace("_", " "): key for key, each in DECODERS.items() if each.learned}
        self.param.decoder.objects = self.param.others.objects = known
        self._hyperparameters = Hyperparameters()
        self._more = stack()
        self._more.visible = False

    def offer(self, sessions: Iterable[str]) -> None:
        """Let counts be chosen that are found at the electrodes of these sessions, by their codes."""
        known = {RECORDED: "", **{f"found in session {code}": code for code in sessions}}
        if known != self.param.counts.names:
            self.param.counts.objects = known
            if self.counts not in known.values():
                self.counts = ""

    def view(self, button: Viewable) -> Viewable:
        """The fields, and those that are seldom needed behind a button."""
        widgets, of = pn.widgets, self.param
        several = len(of.recording.objects) > 1
        more = widgets.Toggle(label="Name trials, set hyperparameters", css_classes=["more"])
        more.param.watch(self._show, "value")
        self.param.watch(lambda _: self._show_numbers(), "decoder")
        numbers = pn.Row(
            *([widgets.Select.from_param(of.recording)] if several else []),
            widgets.Select.from_param(of.decoder),
            widgets.FloatInput.from_param(of.share, start=5, end=95),
            widgets.IntInput.from_param(of.seed),
            button,
            css_classes=["many"],
        )
        return stack(numbers, flow(more), self._more)

    def asked(self) -> CalibrationAsk:
        """What REST would be asked for.

        Raises
        ------
        DeckError
            If that cannot be.
        """
        if self.share is None or self.seed is None:
            raise BadSetting("The share of trials and the seed are numbers, such as 75 and 0.")
        asked = {
            **({"session": self.counts} if self.counts else {"recording": self.recording}),
            "decoder": self.decoder,
            "settings": self._hyperparameters.settings(self.decoder),
            "train_share": self.share / 100,
            "train_trials": list(parse_ids(self.train_trials)),
            "test_trials": list(parse_ids(self.test_trials)),
            "seed": self.seed,
        }
        return checked(CalibrationAsk, asked)

    def asked_of_all(self) -> list[CalibrationAsk]:
        """The same of each decoder that is chosen; hyperparameters are those of the first.

        Raises
        ------
        DeckError
            If that cannot be.
        """
        first = self.asked()
        others = [each for each in self.others if each != self.decoder]
        return [first, *(first.model_copy(update={"decoder": each, "settings": {}}) for each in others)]

    def _show(self, event: Any) -> None:
        """Make the widgets when they are asked for."""
        if event.new and not self._more.objects:
            text = pn.widgets.TextInput
            self._more.objects = [
                fields(
                    text.from_param(
                        self.param.train_trials, placeholder="such as 1-20, 45; drawn if empty"
                    ),
                    text.from_param(self.param.test_trials, placeholder="all others"),
                    pn.widgets.Select.from_param(self.param.counts),
                ),
                pn.widgets.StaticText(value=f"{self.param.others.label}:"),
                pn.widgets.CheckBoxGroup.from_param(self.param.others, inline=True, css_classes=["chips"]),
                self._hyperparameters.view(),
            ]
            self._show_numbers()
        self._more.visible = event.new

    def _show_numbers(self) -> None:
        if self._more.objects:
            self._hyperparameters.show(self.decoder)
