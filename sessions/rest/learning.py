"""REST calls about what decoders of a session learn from."""

from __future__ import annotations

from engine.decoders.bins import Bins
from sessions.rest.context import Context, Stream
from sessions.rest.library import NPZ, download
from sessions.rest.requests import TrialsQuery


def show_session_bins(context: Context, code: str, asked: TrialsQuery) -> Stream:
    """Binned counts and kinematics, to train a decoder of this session on.

    As `/api/recording/bins.npz`, of the recording that the session plays. In a session of electrodes the
    counts are those that are found at its own, of the same spikes in other noise. They are made when they
    are first asked for, faster than real time, and kept; meanwhile the answer is 503, says how far that
    is, and in `Retry-After` when to ask again.
    """
    session = context.session(code)
    recording = context.store.recording_named(session.options.recording)
    learned_from = context.decoding.found.learned_from(session, recording)
    return download(context, learned_from, asked.trial_ids, Bins.to_npz, NPZ, "bins.npz")
