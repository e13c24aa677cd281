"""Choose position and velocity among a file's series, and say what was passed over and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from engine.errors import RecordingError
from engine.sources.recordings.kinematics import Track
from engine.sources.recordings.readers.length_unit import UNKNOWN, LengthUnit
from engine.sources.recordings.readers.series import (
    PLACES,
    POSITION,
    VELOCITY,
    BadLikeliest,
    BadSeries,
    Candidate,
    words_of,
)

KINDS = ("position", "velocity")
GRADIENT = "gradient of the position"


@dataclass(frozen=True, eq=False)
class Chosen:
    """The kinematics to replay.

    Attributes
    ----------
    position, velocity : Track or None
        In `length_unit`, and that per second. Where there is no velocity, a position's gradient
        takes its place.
    target_scale, target_offset : float
        From the trial table's target positions to `length_unit`.
    report : dict
        Ready for JSON: ``position`` and ``velocity`` (name, path, unit, n_samples, how; or None) and
        ``passed_over`` (name, path, reason).
    warnings : tuple of str
        What would have been taken but for a fault.
    """

    position: Track | None
    velocity: Track | None
    length_unit: str
    target_scale: float
    target_offset: float
    report: dict[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def spans(self) -> dict[str, tuple[float, float]]:
        """First and last time of each series, s, by what begins a sentence about them."""
        tracks = {"position": self.position, "velocity": self.velocity}
        return {
            f"The times of {self.report[kind]['name']}": (float(track.times[0]), float(track.times[-1]))
            for kind, track in tracks.items()
            if track
        }


@dataclass(frozen=True, eq=False)
class _Pick:
    candidate: Candidate
    track: Track
    how: str

    def described(self) -> dict[str, Any]:
        return {
            "name": self.candidate.name,
            "path": self.candidate.path,
            "unit": str(self.candidate.series.unit or ""),
            "n_samples": len(self.candidate.series.data),
            "how": self.how,
        }


def choose(
    file_name: str,
    candidates: Sequence[Candidate],
    wanted: Mapping[str, str],
    broken: Mapping[str, str] = MappingProxyType({}),
) -> Chosen:
    """Choose the position, and then the velocity that belongs to it.

    Parameters
    ----------
    file_name : str
        For messages.
    candidates : sequence of Candidate
        The likeliest first.
    wanted : mapping
        ``"position"`` or ``"velocity"`` to the name or path of a series, as a person asks for it.
    broken : mapping
        Places of the file that could not be read, to the reason.

    Raises
    ------
    RecordingError
        If there is no such series, if one that was named cannot be used, or if the timestamps of
        the likeliest are bad.
    """
    named = {kind: _named(file_name, kind, name, candidates, broken) for kind, name in wanted.items()}
    reasons = {c.path: c.kind for c in candidates if c.kind not in KINDS}
    picks = _Picker(file_name, candidates, named, reasons)
    position = picks.position()
    velocity = picks.velocity(position)
    report: dict[str, Any] = {
        "position": position.described() if position else None,
        "velocity": velocity.described() if velocity else None,
        "passed_over": [
            {"name": c.name, "path": c.path, "reason": reasons.get(c.path, "another one comes first")}
            for c in candidates
            if not any(pick and c is pick.candidate for pick in (position, velocity))
        ]
        + [{"name": p.rpartition("/")[2], "path": p, "reason": reason} for p, reason in broken.items()],
    }
    if position and not velocity:
        report["velocity"] = report["position"] | {"how": GRADIENT}
    first = position or velocity
    return Chosen(
        position=position.track if position else None,
        velocity=velocity.track if velocity else None,
        length_unit=first.candidate.unit.name if first else UNKNOWN,
        target_scale=first.track.scale if first else 1.0,
        target_offset=position.track.offset if position else 0.0,
        report=report,
        warnings=(*picks.warnings, *_unread(broken)),
    )


def _unread(broken: Mapping[str, str]) -> Iterator[str]:
    """Of series that are broken, those that are position or velocity by their names."""
    for place, reason in broken.items():
        top, _, name = place.rpartition("/")
        for kind, said in (("position", POSITION), ("velocity", VELOCITY)):
            if top.partition("/")[0] in PLACES and words_of(name) & said:
                yield _gave_way(name, kind, reason)


def _gave_way(name: str, kind: str, reason: str) -> str:
    return f"{name} is not taken as {kind}: {reason}. --series {kind}=NAME chooses among the others."


def _named(
    file_name: str, kind: str, name: str, candidates: Sequence[Candidate], broken: Mapping[str, str]
) -> Candidate:
    if kind not in KINDS:
        raise RecordingError(f"There is no series for {kind!r}. Write position=NAME,velocity=NAME.")
    for candidate in candidates:
        if name in (candidate.name, candidate.path):
            return candidate
    for place, reason in broken.items():
        if name in (place, place.rpartition("/")[2]):
            raise RecordingError(f"{file_name}: {name} cannot be used: {reason}.")
    raise RecordingError(f"{file_name} has no series {name!r} for {kind}. It has {_names(candidates)}.")


def _names(candidates: Sequence[Candidate]) -> str:
    return ", ".join(dict.fromkeys(c.name for c in candidates)) or "none"


@dataclass(frozen=True, eq=False)
class _Picker:
    """Reads candidates until one is good, and notes why the others are not."""

    file_name: str
    candidates: Sequence[Candidate]
    named: Mapping[str, Candidate]
    reasons: dict[str, str]
    warnings: list[str] = field(default_factory=list)

    def position(self) -> _Pick | None:
        if "position" in self.named:
            return self._first("position", [self.named["position"]], "named by --series", BadSeries)
        queue = self._of_kind("position")
        return self._first("position", queue, f"the likeliest of {len(queue)}", BadLikeliest)

    def velocity(self, position: _Pick | None) -> _Pick | None:
        beside = position.candidate if position else None
        if "velocity" in self.named:
            return self._first("velocity", [self.named["velocity"]], "named by --series", BadSeries, beside)
        queue = self._of_kind("velocity")
        if beside is None:
            return self._first("velocity", queue, f"the likeliest of {len(queue)}", BadLikeliest)
        for candidate in queue:
            self.reasons[candidate.path] = f"it is not the velocity of {beside.name}"
        same = [c for c in queue if c.effector == beside.effector]
        hand = [c for c in queue if c.name == "hand_vel"]
        return self._first("velocity", same, f"the velocity of {beside.name}", (), beside) or self._first(
            "velocity", hand, f"the hand's, as there is none of {beside.name}", (), beside
        )

    def _of_kind(self, kind: str) -> list[Candidate]:
        return [c for c in self.candidates if c.kind == kind and c not in self.named.values()]

    def _first(
        self,
        kind: str,
        queue: Sequence[Candidate],
        how: str,
        refused: type[BadSeries] | tuple[()],
        beside: Candidate | None = None,
    ) -> _Pick | None:
        """The first usable one; the file is refused if a fault on the way is of the `refused` kind."""
        for candidate in queue:
            try:
                return _Pick(candidate, candidate.read(_scale(candidate.unit, beside)), how)
            except BadSeries as fault:
                if isinstance(fault, refused):
                    others = [c for c in self.candidates if c.kind == kind and c is not candidate]
                    way_out = (
                        f"name another ({_names(others)}) with --series {kind}=" if others else "repair it"
                    )
                    raise RecordingError(
                        f"{self.file_name}: {candidate.name} cannot be used: {fault}. To go on, {way_out}."
                    ) from fault
                self.reasons[candidate.path] = str(fault)
                self.warnings.append(_gave_way(candidate.name, kind, str(fault)))
        return None


def _scale(unit: LengthUnit, beside: Candidate | None) -> float:
    """Factor from a series' unit to the recording's, which is the position's."""
    if beside is None or unit.name == beside.unit.name:
        return unit.scale
    if unit.known and beside.unit.known:
        raise BadSeries(f"its unit, {unit.name}, does not go with the position's, {beside.unit.name}")
    return beside.unit.scale
