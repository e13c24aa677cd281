"""A record -> an NWB file, which is itself a recording."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from hdmf.common import DynamicTable, VectorData
from pynwb import H5DataIO, NWBFile, TimeSeries
from pynwb.behavior import SpatialSeries
from pynwb.epoch import TimeIntervals
from pynwb.file import Subject

from engine.bins.schema import BIN, SENT, Rows, kept_names
from engine.bins.ticks import TICKS, as_rate, to_ticks
from engine.bins.trials import Trial
from engine.files.nwb_writer import table_columns
from engine.sinks.record.blocks import blocks_of
from engine.sinks.record.columns import Columns, filled
from engine.sinks.record.electrical import LOST, add_electrical_series, lost_times
from engine.sinks.record.played import played_trials
from engine.sinks.record.record import Header, Record
from engine.sinks.record.spikes import units_table

SYNTHETIC, UNIDENTIFIED = 32630, 32644
"""Of the NCBI taxonomy: "synthetic construct" and "unidentified"."""

SPELLED = {"mm": "millimeters"}
"""Units as NWB wants them."""

COLUMNS = {
    **{field.name: field.doc for field in (*SENT, *BIN)},
    "received": "when the prediction came, on the same clock as due, s",
    "values": "x, y in the unit of cursor_pos, vx, vy per second; NaN where not given",
    "decoder": "row of the decoder in the table decoders",
    "verdict": "0 on time, 1 late, 2 stale, 3 duplicate; without a prediction: 4 dropped, 5 left",
    "text": "what was asked of the session",
    "next_bin": "sequence number of the bin that came next",
    "decoder_name": "as the decoder called itself",
    "success": "whether the target was reached",
    "active_target": "row of the target in the trial's target_pos",
    "target_pos": "positions of the targets, in the unit of cursor_pos",
    "barrier_pos": "x, y, half width and half height of the barriers, in the unit of cursor_pos",
    "threshold": "that spikes begin below, uV",
    "noise_uv": "standard deviation of the noise, uV",
    "recall": "share of the true spikes of the newest 10 s that were found",
    "precision": "share of the found spikes that are true",
    "timing_error_ms": "by how much found troughs are later than true ones, mean",
    "start_time": "of the first sample that was lost, s",
    "stop_time": "of the first sample after them, s",
    "source_trial": "id of the trial in the recording that was played",
}


def to_nwb(record: Record) -> NWBFile:
    """The file in memory; of voltages all but the samples, which `electrical.copy_chunks` stores."""
    header, rows = record.header, record.rows
    if isinstance(rows, np.ndarray) and len(rows):
        rows = filled(rows, int(rows["sequence_number"][0]))
    started = datetime.fromtimestamp(header.started, UTC)
    kind = "synthetic recording" if header.synthetic else "recording"
    nwb = NWBFile(
        session_description=(
            f"Record of the PhantomDeck session {header.session}, which replayed the {kind} "
            f"{header.recording}. Times are sequence numbers by the rate of {header.bin_rate:g} Hz."
        ),
        identifier=f"{header.name}-{header.started:.6f}",
        session_start_time=started,
        session_id=header.session,
        experiment_description="A replay, and what decoders made of it.",
        subject=_subject(header),
    )
    for name, description, text in (
        ("header", "what was replayed, and its trials", header.to_json()),
        ("settings", "every setting, at the start and after each change", json.dumps(record.settings)),
        ("scores", "scores at the end", json.dumps(record.scores)),
    ):
        nwb.add_scratch(text, name=name, description=f"{description}, as JSON")
    _add_activity(nwb, record, rows)
    if record.voltages is not None:
        add_electrical_series(nwb, record.voltages, header.channel_names)
    trials = played_trials(record)
    if trials:
        nwb.trials = TimeIntervals(
            name="trials", description="trials as they were played", **_trial_table(trials)
        )
    _add_tables(nwb, record, rows)
    return nwb


def _subject(header: Header) -> Subject:
    """Nobody new: whoever was recorded is named in the recording's own file."""
    taxon = SYNTHETIC if header.synthetic else UNIDENTIFIED
    return Subject(
        subject_id="none" if header.synthetic else "see-recording",
        description=f"that of {header.recording}, SHA-256 {header.sha256}",
        species=f"http://purl.obolibrary.org/obo/NCBITaxon_{taxon}",
        sex="U",
        age="P0D/",  # any
    )


def _add_activity(nwb: NWBFile, record: Record, rows: Rows | Columns) -> None:
    header = record.header
    if not len(rows):
        return
    first = int(rows["sequence_number"][0])
    there = rows["observed"] & (rows["packet_id"] >= 0)
    counts, lost = rows["counts"], None
    if "lost" in (rows.dtype.names or ()):
        lost = np.array(rows["lost"])
        there &= ~lost
    ecephys = nwb.create_processing_module("ecephys", "spike counts as they were sent")
    ecephys.add(
        TimeSeries(
            name="spike_counts",
            description="spikes in each bin, which starts at the sample's time; one column a unit",
            data=_packed(counts, lost),
            unit="spikes",
            starting_time=first / header.bin_rate,
            rate=header.bin_rate,
        )
    )
    nwb.units = units_table(counts, lost, first, header.bin_rate, header.channel_names)
    behavior = nwb.create_processing_module("behavior", "kinematics as they were sent, at bins' centres")
    when = _centres(rows["sequence_number"], header.bin_rate)
    unit = SPELLED.get(header.length_unit, header.length_unit)
    position = SpatialSeries(
        name="cursor_pos",
        description="position at the bins' centres",
        data=_packed(rows["kinematics"][:, :2]),
        unit=unit,
        reference_frame="as in the recording that was played",
        **when,
    )
    behavior.add(position)
    behavior.add(
        TimeSeries(
            name="cursor_vel",
            description="velocity at the bins' centres",
            data=_packed(rows["kinematics"][:, 2:]),
            unit=f"{unit}/s",
            **(when if "rate" in when else {"timestamps": position}),
        )
    )
    for start, stop in _stretches(~there):
        if nwb.invalid_times is None:
            nwb.invalid_times = TimeIntervals(name="invalid_times", description="not observed, or lost")
        nwb.add_invalid_time_interval(
            start_time=(first + start) / header.bin_rate, stop_time=(first + stop) / header.bin_rate
        )


def _centres(numbers: npt.NDArray[np.int64], bin_rate: float) -> dict[str, Any]:
    """When kinematics were sampled: at the bins' centres to the microsecond, as these are when a recording
    is binned, so that they are found again."""
    if (TICKS / as_rate(bin_rate) / 2).denominator == 1:
        return {"starting_time": (int(numbers[0]) + 0.5) / bin_rate, "rate": bin_rate}
    return {"timestamps": _packed(to_ticks((numbers + 0.5) / bin_rate) / TICKS)}


def _stretches(which: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and one after the last index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], which, [False])).astype(np.int8)))
    return [(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]


def _trial_table(trials: Sequence[Trial]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: [column.get(name) for column in (trial.columns for trial in trials)]
        for name in trials[0].columns
    }
    columns |= {
        name: [getattr(trial, name) for trial in trials]
        for name in ("start_time", "stop_time", "target_on_time", "go_cue_time", "move_onset_time")
    }
    columns["success"] = [trial.success for trial in trials]
    columns["active_target"] = [trial.target_id for trial in trials]
    known = {name: values for name, values in columns.items() if not all(map(_missing, values))}
    for name in ("success", "active_target"):
        if any(map(_missing, known.get(name, ()))):
            known[name] = [math.nan if value is None else float(value) for value in known[name]]
    if any(trial.target_pos for trial in trials):
        known["target_pos"] = [np.array(trial.target_pos, np.float64).reshape(-1, 2) for trial in trials]
    if any(trial.barriers for trial in trials):
        known["barrier_pos"] = [np.array(trial.barriers, np.float64).reshape(-1, 4) for trial in trials]
    return {"id": [trial.trial_id for trial in trials], **table_columns(known, COLUMNS)}


def _missing(value: Any) -> bool:
    return value is None or value != value


def _add_tables(nwb: NWBFile, record: Record, rows: Rows | Columns) -> None:
    module = nwb.create_processing_module("record", "what else was recorded, for PhantomDeck to read")
    sent = [name for name in kept_names(rows) if name not in ("counts", "kinematics")]
    module.add(_table("bins", "one row a bin as it was sent", {name: rows[name] for name in sent}))
    predictions = record.predictions
    if len(predictions):
        columns = {name: predictions[name] for name in predictions.dtype.names or ()}
        module.add(_table("predictions", "what decoders answered", columns))
        module.add(_table("decoders", "who answered", {"decoder_name": list(record.decoders)}))
    if record.detection:
        found = {name: np.array(values, np.float64) for name, values in record.detection.items()}
        module.add(_table("detection", "how spikes were found at the end, one row a channel", found))
    if record.voltages is not None and record.voltages.gaps:
        lost = lost_times(record.voltages)
        module.add(_table(LOST, "voltages that are not in the record, as the disk was too slow", lost))
    if record.notes:
        notes = {name: [getattr(note, name) for note in record.notes] for name in vars(record.notes[0])}
        next_bin = record.sequence_numbers(notes["due"])
        events = {**notes, "next_bin": next_bin}
        module.add(_table("events", "what was asked of the session, and when", events))


def _table(name: str, description: str, columns: dict[str, Any]) -> DynamicTable:
    made = [
        VectorData(name=column, description=COLUMNS.get(column, column), data=_packed(values))
        for column, values in columns.items()
    ]
    n_rows = len(next(iter(columns.values())))
    return DynamicTable(name=name, description=description, columns=made, id=np.arange(n_rows))


def _packed(values: Any, blank: npt.NDArray[np.bool_] | None = None) -> Any:
    """Arrays compressed, with zeros where `blank` is true; lists as they are."""
    if not isinstance(values, np.ndarray) or not len(values):
        return values
    return H5DataIO(blocks_of(values, blank), compression="gzip", shuffle=True)
