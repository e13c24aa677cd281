"""What clients are told about what a session plays, over REST and in a stream's first message."""

from __future__ import annotations

from typing import Any

from engine.bins.description import Description


def metadata(description: Description) -> dict[str, Any]:
    """The facts of bins under the names of the wire contract, ready for JSON or MessagePack.

    Parameters
    ----------
    description : Description

    Returns
    -------
    dict
        As `sessions.rest.models.recordings.Metadata` declares it. Times are the file's seconds; what only
        a recording has is None for a stream. The same fact stands under both names that clients read.
    """
    n_units, n_bins, n_trials = description.n_units, description.n_bins, len(description.trials)
    return {
        "dataset": description.name,
        "num_channels": n_units,
        "channel_count": n_units,
        "frequency_hz": description.bin_rate,
        "sampling_rate_hz": description.bin_rate,
        "bin_size_ms": 1000.0 / description.bin_rate,
        "start_time": description.start_time,
        "duration_seconds": description.duration,
        "total_packets": n_bins,
        "total_samples": n_bins,
        "num_trials": n_trials,
        "trial_count": n_trials,
        "num_targets": len(description.target_ids),
        "length_unit": description.length_unit,
        "synthetic": description.synthetic,
        "channel_ids": list(range(n_units)),
        "channel_names": list(description.channel_names),
        "count_dtype": str(description.count_dtype),
        "series": dict(description.series),
        "trial_tables": dict(description.trial_tables),
        "warnings": list(description.warnings),
        "sha256": description.sha256,
    }
