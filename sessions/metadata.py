"""What clients are told about a recording, over REST and in a stream's first message."""

from __future__ import annotations

from typing import Any

from engine.sources.recordings.recording import Recording


def metadata(recording: Recording) -> dict[str, Any]:
    """The facts of a recording under the names of the wire contract, ready for JSON or MessagePack.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    dict
        As `sessions.rest.models.recordings.Metadata` declares it. Times are the file's seconds; the same
        fact stands under both names that published clients read.
    """
    n_units, n_bins, n_trials = recording.n_units, recording.n_bins, len(recording.trials)
    return {
        "dataset": recording.name,
        "num_channels": n_units,
        "channel_count": n_units,
        "frequency_hz": recording.bin_rate,
        "sampling_rate_hz": recording.bin_rate,
        "bin_size_ms": 1000.0 / recording.bin_rate,
        "start_time": recording.start_time,
        "duration_seconds": recording.duration,
        "total_packets": n_bins,
        "total_samples": n_bins,
        "num_trials": n_trials,
        "trial_count": n_trials,
        "num_targets": len(recording.target_ids),
        "length_unit": recording.length_unit,
        "synthetic": recording.synthetic,
        "channel_ids": list(range(n_units)),
        "channel_names": list(recording.channel_names),
        "count_dtype": str(recording.counts.dtype),
        "series": dict(recording.series),
        "trial_tables": dict(recording.trial_tables),
        "warnings": list(recording.warnings),
        "sha256": recording.sha256,
    }
