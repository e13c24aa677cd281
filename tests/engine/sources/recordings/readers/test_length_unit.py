"""Units as labs spell them."""

from __future__ import annotations

import pytest

from engine.sources.recordings.readers.length_unit import LengthUnit, length_unit


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("mm", LengthUnit("mm", 1.0)),
        ("meters", LengthUnit("mm", 1000.0)),
        ("Centimeters", LengthUnit("mm", 10.0)),
        ("\u00b5m", LengthUnit("mm", 1e-3)),
        ("m/s", LengthUnit("mm", 1000.0, True)),
        ("mm / sec", LengthUnit("mm", 1.0, True)),
        ("cm per second", LengthUnit("mm", 10.0, True)),
        ("m s^-1", LengthUnit("mm", 1000.0, True)),
        ("mm/ms", LengthUnit("mm", 1000.0, True)),
        ("px", LengthUnit("px")),
        ("pixels/s", LengthUnit("pixels", 1.0, True)),
        ("a.u.", LengthUnit("a.u.")),
        ("n/a", LengthUnit("unknown")),
        ("", LengthUnit("unknown")),
    ],
)
def test_spellings(spelling: str, expected: LengthUnit) -> None:
    assert length_unit(spelling) == expected
