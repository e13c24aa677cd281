from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest

from plotters.base import Replace, Set, Shift, Update
from plotters.frame import describe, encode


def decode(frame: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack_from("<I", frame)
    return json.loads(frame[4 : 4 + length]), frame[4 + length :]


def test_numbers_are_found_where_the_header_says() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(3, 2)
    line = np.array([1.5, np.nan, -2.0], np.float32)
    header, numbers = decode(
        encode(
            {"state": "playing"},
            [
                *describe("a", [Shift("spikes", "image", image)]),
                *describe("b", [Replace("line", "y", line)]),
            ],
        )
    )
    assert header["state"] == "playing"
    first, second = header["updates"]
    assert (first["op"], first["source"], first["column"]) == ("shift", "a/spikes", "image")
    assert first["shape"] == [3, 2]
    np.testing.assert_array_equal(
        np.frombuffer(numbers, "<u1", 6, first["offset"]).reshape(first["shape"]), image
    )
    assert (second["op"], second["source"], second["dtype"]) == ("replace", "b/line", "float32")
    np.testing.assert_array_equal(np.frombuffer(numbers, "<f4", 3, second["offset"]), line)


@pytest.mark.parametrize("note", ["", "a", "ab", "abc", "abcd", "abcde", "µs"])
def test_every_buffer_is_aligned_for_a_typed_array(note: str) -> None:
    updates = [Shift("s", "a", np.zeros(3, np.uint8)), Shift("s", "b", np.zeros(2))]
    frame = encode({"note": note}, describe("p", updates))
    header, numbers = decode(frame)
    start = len(frame) - len(numbers)
    assert [(start + update["offset"]) % 8 for update in header["updates"]] == [0, 0]


def test_a_transposed_array_is_sent_in_the_order_of_its_shape() -> None:
    image = np.arange(6, dtype=np.int16).reshape(2, 3).T
    header, numbers = decode(encode({}, describe("p", [Shift("s", "image", image)])))
    sent = np.frombuffer(numbers, "<i2", 6).reshape(header["updates"][0]["shape"])
    np.testing.assert_array_equal(sent, image)


def test_texts_and_properties_travel_in_the_header() -> None:
    header, numbers = decode(
        encode({}, describe("t", [Replace("s", "name", ["a", None]), Set("title", {"text": "Hit"})]))
    )
    assert header["updates"] == [
        {"op": "replace", "source": "t/s", "column": "name", "values": ["a", None]},
        {"op": "set", "model": "t/title", "properties": {"text": "Hit"}},
    ]
    assert numbers == b""


def test_mappings_keep_the_kind_of_their_keys() -> None:
    header, _ = decode(encode({}, describe("t", [Set("axis", {"major_label_overrides": {0.5: "a"}})])))
    [update] = header["updates"]
    assert update["properties"] == {"major_label_overrides": {"type": "map", "entries": [[0.5, "a"]]}}


def test_numbers_without_a_typed_array_are_refused() -> None:
    with pytest.raises(TypeError, match="int64"):
        describe("p", [Shift("s", "x", np.zeros(2, np.int64))])


@pytest.mark.parametrize("update", [Set("title", {"text": math.nan}), Replace("s", "x", [object()])])
def test_what_json_cannot_say_is_refused_before_a_frame_is_made(update: Update) -> None:
    with pytest.raises((TypeError, ValueError)):
        describe("p", [update])


def test_a_frame_may_change_nothing() -> None:
    assert decode(encode({"state": "paused"}, [])) == ({"state": "paused", "updates": []}, b"")
