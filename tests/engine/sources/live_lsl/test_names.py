"""Which streams belong together, and which can be played."""

from __future__ import annotations

import pytest

from engine.errors import BadSetting
from engine.sources.live_lsl.header import StreamHeader, samples_a_bin
from engine.sources.live_lsl.layout import kinematics_columns, length_unit
from engine.sources.live_lsl.names import Names, read_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("spikes", Names("spikes")),
        ("A-Neural-x", Names("A-Neural-x", "A-Kinematics-x", "A-Intention-x", "A-Events-x")),
        ("s,kinematics=hand,events=m", Names("s", kinematics="hand", events="m")),
        ("A-Neural-x,events=m", Names("A-Neural-x", "A-Kinematics-x", "A-Intention-x", "m")),
    ],
)
def test_companions_are_found_by_the_names_of_our_own_streams_or_as_told(text: str, names: Names) -> None:
    assert read_names(text) == names


@pytest.mark.parametrize("text", ["", "s,", "s,hand", "s,hands=x", "s,events="])
def test_other_names_are_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(BadSetting, match="rite lsl:NAME"):
        read_names(text)


def header(
    rate: float, numbers: bool = True, labels: tuple[str, ...] = (), units: tuple[str, ...] = ()
) -> StreamHeader:
    return StreamHeader("s", "id", rate, len(labels) or 4, numbers, labels, units)


@pytest.mark.parametrize(("rate", "samples"), [(40.0, 1), (1000.0, 25), (40.000001, 1), (0.0, 0)])
def test_a_rate_that_is_a_multiple_can_be_played_and_an_irregular_one(rate: float, samples: int) -> None:
    assert samples_a_bin(header(rate), 40.0) == samples


@pytest.mark.parametrize("rate", [20.0, 50.0, 30_001.0])
def test_a_slower_stream_and_one_that_is_no_multiple_are_refused_in_one_line(rate: float) -> None:
    with pytest.raises(BadSetting, match=f"{rate:g} Hz, which is no multiple of 40 bins a second. Start"):
        samples_a_bin(header(rate), 40.0)


def test_text_is_no_counts() -> None:
    with pytest.raises(BadSetting, match="'s' is text"):
        samples_a_bin(header(40.0, numbers=False), 40.0)


def test_kinematics_are_found_by_labels_and_else_as_we_send_them() -> None:
    named = header(40.0, labels=("Y", "X", "grip"), units=("cm", "cm", "N"))
    assert kinematics_columns(named) == (1, 0, None, None)
    assert length_unit(named) == "cm"
    assert kinematics_columns(header(40.0)) == (2, 3, 0, 1)
    assert length_unit(None) == "units"


@pytest.mark.parametrize("text", ["\0", "rig\n", "rig,events=\x1b"])
def test_names_that_cannot_be_printed_are_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="cannot be printed"):
        read_names(text)
