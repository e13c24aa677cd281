from __future__ import annotations

from plotters.lanes import LANES, Lanes

NAMES = [f"decoder {i}" for i in range(len(LANES) + 1)]


def test_decoders_get_lanes_as_they_come_and_keep_them() -> None:
    lanes = Lanes()
    assert lanes.assign([]) == ("",) * len(LANES)
    assert lanes.assign(["b"])[:2] == ("b", "")
    assert lanes.assign(["a", "b"])[:2] == ("b", "a")
    assert lanes.assign([])[:2] == ("b", "a")


def test_a_silent_decoder_makes_room_only_when_all_lanes_are_taken() -> None:
    lanes = Lanes()
    lanes.assign(NAMES[:-2])
    assert lanes.assign(NAMES[1:-1]) == tuple(NAMES[:-1])
    assert lanes.assign(NAMES[1:]) == (NAMES[-1], *NAMES[1:-1])


def test_those_beyond_the_lanes_have_none() -> None:
    assert Lanes().assign(NAMES) == tuple(NAMES[:-1])
