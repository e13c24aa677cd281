"""REST calls about recordings and their trials."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Sequence

from engine.bins.description import Recorded
from engine.bins.selection import spell_ids
from engine.bins.trials import Trial
from engine.decoders.bins import Bins
from engine.errors import UnknownTarget
from engine.sources.recordings.recording import Recording
from sessions.finisher import CHUNK
from sessions.metadata import metadata
from sessions.refusals import Busy
from sessions.rest.context import DOWNLOADS, Context, Stream
from sessions.rest.models.recordings import (
    RecordingList,
    RecordingMetadata,
    TrialAnswer,
    Trials,
    TrialsOfTarget,
    VoltagesAnswer,
)
from sessions.rest.requests import BinsQuery, RecordingQuery

NPZ = "application/octet-stream"
"""There is no type of its own for a NumPy archive."""
MAT = "application/x-matlab-data"
NWB = "application/x-hdf5"


def list_recordings(context: Context) -> RecordingList:
    """Names of the recordings that sessions can play."""
    names = list(context.store.recordings)
    return RecordingList(recordings=names, count=len(names), default=names[0])


def show_metadata(context: Context, asked: RecordingQuery) -> RecordingMetadata:
    """Facts of a recording: channels, rate, length, series, voltages."""
    recording = context.store.recording_named(asked.recording)
    return RecordingMetadata(**metadata(recording), voltages=_voltages(recording))


def list_trials(context: Context, asked: RecordingQuery) -> Trials:
    """All trials of a recording, in order of their start."""
    trials = _answers(context.store.recording_named(asked.recording).trials)
    return Trials(trials=trials, count=len(trials), total_trials=len(trials))


def show_trial(context: Context, trial_id: int, asked: RecordingQuery) -> TrialAnswer:
    """One trial."""
    recording = context.store.recording_named(asked.recording)
    return trial_answer(recording.trials[recording.trial_row(trial_id)])


def list_trials_of_target(context: Context, target_id: int, asked: RecordingQuery) -> TrialsOfTarget:
    """The trials that aim at a target, by its index within each trial's own targets."""
    recording = context.store.recording_named(asked.recording)
    if target_id not in recording.target_ids:
        known = spell_ids(list(recording.target_ids), "target")
        raise UnknownTarget(f"Unknown target {target_id}. This recording has {known}.")
    trials = _answers(trial for trial in recording.trials if trial.target_id == target_id)
    return TrialsOfTarget(trials=trials, count=len(trials), target_index=target_id)


def show_bins(context: Context, asked: BinsQuery) -> Stream:
    """Binned counts and kinematics, to train a decoder on.

    A NumPy archive for `numpy.load`: `counts` (bins by units), `kinematics` (x, y, vx, vy; NaN where
    missing), `target` (position), `packet_id`, `trial_id` (-1 outside of trials), `observed`, and
    `start`, which marks bins that do not follow an observed one, so that no decoder need look back
    over a gap; `coverage`; then `bin_rate`, `bin_width` (s), `channel_names`, `recording`, `sha256`,
    `length_unit`, `start_time` (of bin 0, s), `synthetic`, and `trial_table`, one row a trial. It is a
    recording too: `serve.py --data bins.npz` replays it.
    """
    recording = context.store.recording_named(asked.recording)
    return download(context, recording, asked.trial_ids, Bins.to_npz, NPZ, "bins.npz")


def show_matlab_bins(context: Context, asked: BinsQuery) -> Stream:
    """The same as a MATLAB file of version 5, for MATLAB's and Octave's `load`.

    Vectors are columns, `channel_names` is a cell array, and `trial_table` a struct of columns, for
    `struct2table`. `serve.py --data bins.mat` replays it.
    """
    recording = context.store.recording_named(asked.recording)
    return download(context, recording, asked.trial_ids, Bins.to_mat, MAT, "bins.mat")


def show_nwb_bins(context: Context, asked: BinsQuery) -> Stream:
    """The same as an NWB file, for `nlb_tools` and, at 50 bins per second, `falcon_challenge` (task M2).

    Units, trials and the cursor as MC_Maze has them; spikes are spaced evenly within their bins.
    """
    from engine.decoders.bins_nwb import to_nwb

    recording = context.store.recording_named(asked.recording)
    return download(context, recording, asked.trial_ids, to_nwb, NWB, "bins.nwb")


def download(
    context: Context,
    recording: Recorded,
    trial_ids: Sequence[int],
    write: Callable[[Bins], bytes],
    content_type: str,
    file_name: str,
) -> Stream:
    """Bins of some trials, or of all, as a file.

    Raises
    ------
    Busy
        If others take as many as there may be.
    UnknownTrial, EmptySelection
    """
    if not context.downloads.acquire(blocking=False):
        raise Busy(f"{DOWNLOADS} clients take binned recordings already. Try again when one is done.")
    pieces = _pieces(recording, trial_ids, write, context.downloads)
    return Stream.of(pieces, content_type, file_name)


def _pieces(
    recording: Recorded,
    trial_ids: Sequence[int],
    write: Callable[[Bins], bytes],
    room: threading.BoundedSemaphore,
) -> Generator[bytes]:
    """The file, which goes and makes room when it has been taken, or nobody takes it any more."""
    try:
        content = write(Bins.of(recording, trial_ids))
        for start in range(0, len(content), CHUNK):
            yield content[start : start + CHUNK]
    finally:
        room.release()


def trial_answer(trial: Trial) -> TrialAnswer:
    """A trial as clients see it."""
    facts = {
        "trial_id": trial.trial_id,
        "start_time": trial.start_time,
        "stop_time": trial.stop_time,
        "target_on_time": trial.target_on_time,
        "go_cue_time": trial.go_cue_time,
        "move_onset_time": trial.move_onset_time,
        "success": trial.success,
        "target_id": trial.target_id,
        "active_target": trial.target_id,
        "target_x": trial.target_x,
        "target_y": trial.target_y,
        "num_targets": len(trial.target_pos),
        "target_pos": list(trial.target_pos),
        "barrier_pos": list(trial.barriers),
    }
    return TrialAnswer.model_validate({**trial.columns, **facts})


def _answers(trials: Iterable[Trial]) -> list[TrialAnswer]:
    return [trial_answer(trial) for trial in trials]


def _voltages(recording: Recording) -> VoltagesAnswer | None:
    found = recording.voltages
    if found is None:
        return None
    return VoltagesAnswer(
        name=found.name,
        n_channels=found.n_channels,
        sampling_rate_hz=found.rate,
        seconds=found.seconds,
        microvolts_per_count=found.conversion.microvolts_per_count,
        truth=found.unit_channels is not None and recording.spike_times is not None,
        misfit=f"Its voltages {found.misfit}." if found.misfit else None,
    )
