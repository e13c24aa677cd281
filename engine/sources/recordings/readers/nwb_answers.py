"""What a record has beside its bins: predictions, as answers to them, and how spikes were found."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from pynwb import NWBFile

from engine.bins.answered import ANSWER, Answers, Verdict
from engine.sources.recordings.readers.hdf5 import values


def is_record(nwb: NWBFile) -> bool:
    """Whether a file is a session's record."""
    module = nwb.processing.get("record")
    return module is not None and "bins" in module.data_interfaces


def read_answers(nwb: NWBFile) -> Answers | None:
    """Read what decoders answered; None where the file is no record, or nobody did."""
    if not is_record(nwb) or "predictions" not in nwb.processing["record"].data_interfaces:
        return None
    module = nwb.processing["record"]
    bins, predictions = module["bins"], module["predictions"]
    due = np.fmax.accumulate(values(bins["due"].data))  # bins that could not be recorded have none
    about = values(predictions["sequence_number"].data) - int(bins["sequence_number"].data[0])
    verdict = values(predictions["verdict"].data)
    held = (about >= 0) & (about < len(due) + (verdict == Verdict.LEFT))
    about, verdict = about[held], verdict[held]
    received = values(predictions["received"].data)[held]
    newest = np.maximum(np.searchsorted(due, received, "right") - 1, about)
    newest = np.where(verdict == Verdict.LEFT, about - 1, newest)  # it names the bin that came next
    rows = np.zeros(len(about), ANSWER)
    rows["packet_id"] = np.maximum.accumulate(np.maximum(newest, 0))
    rows["behind"] = rows["packet_id"] - about
    rows["decoder"] = values(predictions["decoder"].data)[held]
    rows["delay"] = received - due[np.minimum(about, rows["packet_id"])]
    rows["values"] = values(predictions["values"].data)[held]
    rows["verdict"] = verdict
    return Answers(tuple(map(str, values(module["decoders"]["decoder_name"].data))), rows)


def read_detection(nwb: NWBFile) -> Mapping[str, npt.NDArray[np.float64]]:
    """Read how spikes were found on each channel; nothing where the file is no record of electrodes."""
    if not is_record(nwb) or "detection" not in nwb.processing["record"].data_interfaces:
        return MappingProxyType({})
    columns = nwb.processing["record"]["detection"].columns
    return MappingProxyType({each.name: np.asarray(values(each.data), np.float64) for each in columns})
