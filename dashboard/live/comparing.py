"""How sure scores are, and how sure it is that one decoder is better than another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import panel as pn
import param
from panel.io.state import set_curdoc, state
from panel.viewable import Viewable

from dashboard.live.controls import Controls, button, flow, stack
from dashboard.live.task import Task
from dashboard.table import Row, Table
from engine.answers.scores.comparison import Estimate, Pair, compare, estimates
from engine.answers.scores.resampled import LEAST_TRIALS
from engine.bins import clock
from sessions.session import Session

MEASURES: Final[Mapping[str, str]] = {
    "R2 of position": "r2_position",
    "R2 of velocity": "r2_velocity",
    "R2 of position, variance-weighted": "r2_position_weighted",
    "R2 of velocity, variance-weighted": "r2_velocity_weighted",
    "R2 of position, moving": "r2_position_moving",
    "R2 of velocity, moving": "r2_velocity_moving",
    "RMSE of position": "rmse_position",
    "RMSE of velocity": "rmse_velocity",
    "Correlation of position": "correlation_position",
    "Correlation of velocity": "correlation_velocity",
    "Angular error, degrees": "angular_error_deg",
    "Time to target, s": "time_to_target",
    "Distance at the end": "end_distance",
    "Path efficiency": "path_efficiency",
    "Closed loop: acquisition time, s": "acquisition_time",
    "Closed loop: first touch, s": "first_touch_time",
    "Closed loop: dial-in time, s": "dial_in_time",
    "Closed loop: orbits": "orbits",
}
PAUSE: Final = 5.0
"""Least seconds between two comparisons that nobody has asked for."""


class Comparing(Controls):
    """Compares the decoders of a session, in a thread, at most every `PAUSE` seconds by itself."""

    measure: Any = param.Selector(default="r2_position", objects=[*MEASURES.values()])

    def __init__(self, session: Session) -> None:
        self._task = Task()
        self._compared: Any = None  # the newest trials that are in what is shown
        self._next = -math.inf
        self._waiting = False
        self._decoders = Table(("Decoder", "Mean", "95 % interval", "Trials"))
        self._pairs = Table(("Decoders", "Difference", "95 % interval", "p", "Trials"))
        super().__init__(session)

    def write(self, changes: Mapping[str, Any]) -> None:  # noqa: ARG002
        self.update()

    def follow(self) -> None:
        """Compare again if trials have ended, now or when the pause is over."""
        document = state.curdoc
        if document is None or self._waiting or newest_trials(self.session) == self._compared:
            return
        pause = self._next - clock.now()
        if pause <= 0:
            self.update(shown=False)
            return
        self._waiting = True

        def later() -> None:
            self._waiting = False
            with set_curdoc(document):
                self.follow()

        document.add_timeout_callback(later, math.ceil(1000 * pause))

    def update(self, *, shown: bool = True) -> None:
        """Compare; `shown` is whether the page says that it takes its time."""
        self._next = clock.now() + PAUSE
        self._compared = newest_trials(self.session)
        decoders, measure = self.session.scores.latest().decoders, self.measure
        trials = {name: summary.trials for name, summary in decoders.items()}
        self._task.start(
            "Comparing" if shown else "",
            lambda: (estimates(trials, measure), compare(trials, measure)),
            self._show,
        )

    def view(self) -> Viewable:
        measure = pn.widgets.Select.from_param(self.param.measure, options=dict(MEASURES))
        return stack(
            flow(measure, button("Update", self.update)), self._task.view(), self._decoders, self._pairs
        )

    def _show(self, found: tuple[Mapping[str, Estimate], Sequence[Pair]]) -> None:
        means, pairs = found
        self._decoders.fill([decoder_row(name, mean) for name, mean in means.items()])
        self._pairs.fill([pair_row(pair) for pair in pairs])


def newest_trials(session: Session) -> dict[str, int]:
    """The first bin of the newest trial that has been scored, by decoder."""
    decoders = session.scores.latest().decoders
    return {name: each.trials[-1].sequence_number for name, each in decoders.items() if each.trials}


def decoder_row(name: str, mean: Estimate) -> Row:
    return Row(name, (name, _number(mean.mean), interval(mean), str(mean.n_trials)))


def pair_row(pair: Pair) -> Row:
    """Of two decoders: one minus the other."""
    name, difference = f"{pair.one} \N{MINUS SIGN} {pair.other}", pair.difference
    return Row(
        f"{pair.one}\n{pair.other}",
        (
            name,
            _number(difference.mean, "+"),
            interval(difference),
            spell_p(pair.p_value),
            str(difference.n_trials),
        ),
    )


def interval(mean: Estimate) -> str:
    """Its ends; few trials have none."""
    if math.isnan(mean.low):
        return f"from {LEAST_TRIALS} trials on"
    return f"{_number(mean.low)} to {_number(mean.high)}"


def spell_p(p_value: float) -> str:
    """As papers have it."""
    if math.isnan(p_value):
        return "\N{EN DASH}"
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _number(value: float, sign: str = "-") -> str:
    return "\N{EN DASH}" if math.isnan(value) else f"{value:{sign}.3g}".replace("-", "\N{MINUS SIGN}")
