"""REST calls of decoders that have no WebSocket: bins from a number on, and predictions one by one."""

from __future__ import annotations

import asyncio

from engine.answers.prediction import checked_name, checked_number, checked_values
from engine.bins import clock
from engine.bins.answered import Verdict
from sessions.refusals import TooMany
from sessions.rest.context import Context, Text
from sessions.rest.models.bins import BinsAnswer
from sessions.rest.models.scores import Sources, Taken
from sessions.rest.requests import BinsSinceQuery, PredictionAsk
from sessions.rest.scoring import add_source
from sessions.streams.delivered import Delivered
from sessions.streams.polls import Polls


async def wait_bins(context: Context, code: str, asked: BinsSinceQuery) -> BinsAnswer | Text:
    """The bins of a session from a sequence number on, at most 400; waits for the next if there is none.

    Ask again with `since` the `next` of the answer. A session that waits for its first listener starts.
    The decoder's name is held for the calls from this address until 10 s after the last of them, as a
    WebSocket holds one; if another has it, `decoder` tells by which it counts. Bins that were skipped, or
    gone, count as lost to it. At speed `max` the session waits for nobody who asks so.
    """
    polls = context.session(code).audience(Polls, asyncio.get_running_loop())
    with context.waits.one(context.address):
        found = await polls.bins(
            asked.decoder, context.address, asked.since, asked.wait, Delivered(truth=asked.truth)
        )
    return Text(found, "application/json")


async def take_prediction(context: Context, code: str, asked: PredictionAsk) -> Sources | Taken:
    """Take a prediction for a bin, or all that come from an LSL stream.

    A body with `sequence_number` is a prediction as on the WebSocket, which is scored at once; it may stand
    in the query as well. Its name is held as that of a decoder that asks for bins.

    A body with `lsl` names a stream with channels x, y, vx, vy and sequence_number. The stream may appear
    later. NaN stands for what a decoder does not predict. If another decoder answers under that name, this
    one's has `-2` after it; the answer tells.
    """
    if asked.lsl is not None:
        return await asyncio.get_running_loop().run_in_executor(
            None, add_source, context, code, asked.lsl, asked.decoder
        )
    return _taken(context, code, asked)


def _taken(context: Context, code: str, asked: PredictionAsk) -> Taken:
    at, session = clock.now(), context.session(code)
    number, name = asked.sequence_number, asked.decoder
    assert number is not None  # or it would be a stream
    values = checked_values(asked.model_dump())
    checked_number(number, session.replay.ring.head)  # or it would take a name first
    name = None if name is None else checked_name(name)
    caller, _ = session.callers.called(name, context.address, answers=True)
    assert caller.name is not None
    verdict = session.predictions.receive(caller.name, number, values, at)
    if verdict is None:
        raise TooMany(
            f"Decoder {caller.name} has sent more predictions than the bins allow. Answer each bin once.",
            retry_after=1,
        )
    spelled = Verdict(verdict).name.lower()
    return Taken.model_validate({"decoder": caller.name, "sequence_number": number, "verdict": spelled})
