"""The REST call that decodes."""

from __future__ import annotations

from engine.sources.electrodes.settings import Electrodes
from sessions.electrodes import n_channels_of
from sessions.rest.context import Context
from sessions.rest.models.decoding import DIRECTION, DecodeAsk, Decoded
from sessions.sources import electrodes_in


def decode_now(context: Context, asked: DecodeAsk) -> Decoded:
    """Decode counts, the newest bins of a session, or an intention by way of simulated electrodes.

    For an intention, units at simulated electrodes fire for 100 ms, their spikes are found in the voltages
    and counted in bins, and these are decoded. Without a `model` it is a Wiener filter of such counts,
    with the movement of the server's first recording as the intention, so that velocities are in its
    length units: made when it is first needed, and kept. Meanwhile the answer is 503, and `Retry-After`
    says when to ask again; so it is if more requests are there than are decoded at once.
    """
    decoding, calibrations = context.decoding, context.calibrations
    model = None if asked.model is None else str(asked.model)
    if asked.session is not None:
        session = context.session(asked.session)
        recording = context.store.recording_named(session.options.recording)
        found = decoding.session(session, recording, model, calibrations)
    elif asked.movement_intention is not None:
        intention = asked.movement_intention
        n_channels = None if len(intention) == DIRECTION else len(intention)
        there = _electrodes(context, n_channels)
        found = decoding.intention(intention, context.store.recording, there, model, calibrations)
    else:
        assert asked.counts is not None  # one of the three is there
        there = _electrodes(context)
        found = decoding.counts(asked.counts, context.store.recording, there, model, calibrations)
    x, y, vx, vy = found.kinematics.tolist()
    return Decoded(
        x_velocity=vx,
        y_velocity=vy,
        x=x,
        y=y,
        spike_rate=found.spike_rate,
        latency_ms=1e3 * found.seconds,
        model=found.model,
        session_code=asked.session,
    )


def _electrodes(context: Context, n_channels: int | None = None) -> Electrodes:
    """Of so many channels, or as many as the server's own have.

    Raises
    ------
    BadSetting
        If there cannot be so many.
    """
    own = electrodes_in(context.store.sources.default) or ""
    asked = n_channels_of(own if n_channels is None else str(n_channels))
    return Electrodes() if asked is None else Electrodes(n_channels=asked)
