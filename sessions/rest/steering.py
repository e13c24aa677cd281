"""REST calls that change a closed loop while it runs: which decoder drives, and how it moves the cursor."""

from __future__ import annotations

from engine.bins.source import refuse
from engine.sources.user.source import SimulatedUser
from sessions.rest.context import Context
from sessions.rest.models.sessions import DriverAnswer, SteeringAnswer
from sessions.rest.requests import DriverAsk
from sessions.rest.tuning import SteeringAsk


def show_driver(context: Context, code: str) -> DriverAnswer:
    """Which decoder moves the cursor of a closed loop."""
    return DriverAnswer(driver=_loop(context, code, "driver").driver)


def set_driver(context: Context, code: str, asked: DriverAsk) -> DriverAnswer:
    """Let another decoder move the cursor, and score all decoders anew from the next packet on.

    The scores until then are kept as a run; the trial that is under way counts for nobody. Each packet
    moves the cursor by the answer of one decoder alone. Nobody is disconnected, and no answer is waited for
    twice: what the new driver has answered already counts. The event says `scores from bin N`.
    """
    if asked.driver != _loop(context, code, "driver").driver:
        context.session(code).drive(asked.driver)
    return show_driver(context, code)


def show_steering(context: Context, code: str) -> SteeringAnswer:
    """How a decoder's answers move the cursor of a closed loop."""
    answer: SteeringAnswer = SteeringAnswer.model_validate(
        _loop(context, code, "steering").steering.settings
    )
    return answer


def set_steering(context: Context, code: str, asked: SteeringAsk) -> SteeringAnswer:
    """Change how answers move the cursor, from the next packet on; what is left out stays.

    All decoders are scored anew from there: the scores until then are kept as a run, and the trial that is
    under way counts for nobody. The event says `scores from bin N`.
    """
    settings = _loop(context, code, "steering").steering.settings
    changed = asked.model_dump(exclude_unset=True)
    if changed.items() - settings.items():
        context.session(code).steer(changed)
    return show_steering(context, code)


def _loop(context: Context, code: str, what: str) -> SimulatedUser:
    source = context.session(code).replay.source
    return source if isinstance(source, SimulatedUser) else refuse(source, what, "user")
