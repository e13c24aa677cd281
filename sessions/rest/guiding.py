"""REST calls that calibrate a decoder in closed loop, by blocks of trials in which it drives."""

from __future__ import annotations

from engine.calibration.run import learner
from engine.errors import NotNow
from sessions.guided import Guided, Order
from sessions.rest.context import Context
from sessions.rest.models.calibrations import BlockAnswer, GuidedAnswer, GuidedAsk


def start_guided(context: Context, code: str, asked: GuidedAsk) -> GuidedAnswer:
    """Calibrate a decoder in closed loop.

    The first block of trials is under autopilot, or with the decoder that drives already. After each block
    but the last, a decoder learns from it in a process of its own, from velocities that are turned towards
    the targets (Gilja et al. 2012), and drives from then on: `refit-1`, `refit-2` and so on. The last one
    goes on driving. A session that was never asked to play has to be resumed.
    """
    session = context.session(code)
    learner(asked.decoder, session.description.bin_rate, asked.settings)  # to know first
    if context.launcher is None:
        raise NotNow("This server starts no decoders. Start it with serve.py.")
    order = Order(asked.decoder, asked.settings, asked.blocks, asked.trials)
    return _answer(session.guide(order, context.launcher))


def show_guided(context: Context, code: str) -> GuidedAnswer:
    """How far a session's calibration in closed loop is, or how its last one went."""
    return _answer(_run(context, code))


def cancel_guided(context: Context, code: str) -> GuidedAnswer:
    """End a session's calibration in closed loop. Whoever drives goes on driving."""
    run = _run(context, code)
    run.cancel()
    return _answer(run)


def _run(context: Context, code: str) -> Guided:
    run = context.session(code).guided
    if run is None:
        raise NotNow("Nothing was calibrated in this session. Start it with POST.")
    return run


def _answer(run: Guided) -> GuidedAnswer:
    return GuidedAnswer(
        state=run.state,
        error=run.error,
        decoder=run.order.decoder,
        n_blocks=run.order.n_blocks,
        n_trials=run.order.n_trials,
        driver=run.driver,
        trials_done=run.n_done,
        blocks=[
            BlockAnswer(
                driver=each.driver,
                n_trials=each.reached.n_trials,
                success=each.reached.success,
                seconds=each.reached.seconds,
            )
            for each in run.blocks
        ],
    )
