"""The predictions in a record, as answers to the bins of the recording that it is."""

from __future__ import annotations

import numpy as np
from pynwb import NWBFile

from engine.recording import ANSWER, Answers

IN_TIME = 1
"""Verdicts up to this one are of predictions that counted: on time, or late."""


def read_answers(nwb: NWBFile) -> Answers | None:
    """Read what decoders answered; None where the file is no record, or nobody did."""
    module = nwb.processing.get("record")
    if module is None or "predictions" not in module.data_interfaces:
        return None
    bins, predictions = module["bins"], module["predictions"]
    numbers = predictions["sequence_number"].data[:]
    first = int(bins["sequence_number"].data[0])
    packets = numbers - first
    due = bins["due"].data[:]
    held = (packets >= 0) & (packets < len(due)) & (predictions["verdict"].data[:] <= IN_TIME)
    packets = packets[held]
    rows = np.zeros(len(packets), ANSWER)
    rows["packet_id"] = packets
    rows["decoder"] = predictions["decoder"].data[:][held]
    rows["delay"] = predictions["received"].data[:][held] - due[packets]
    rows["values"] = predictions["values"].data[:][held]
    rows = rows[np.argsort(packets, kind="stable")]
    return Answers(tuple(map(str, module["decoders"]["decoder_name"].data[:])), rows)
