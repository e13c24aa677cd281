"""Runs as they end, a line each, so that a comparison goes on where it was broken off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, TypeVar

from engine.errors import BadSetting

C = TypeVar("C", bound=tuple[str, ...])
M = TypeVar("M")


class Journal(Generic[C, M]):
    """A file whose first line says what is compared, and each other one a run.

    Parameters
    ----------
    path : Path
        Made if it is not there. A last line that was broken off is left out.
    about : mapping
        What all runs must share, ready for JSON.
    condition, measures : type
        What a line has, beside the seed.

    Attributes
    ----------
    runs : dict
        Of measures, by condition and seed: those that are there.

    Raises
    ------
    BadSetting
        If it cannot be read or written, or is about something else.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], condition: type[C], measures: type[M]) -> None:
        self._path = path
        self.runs: dict[tuple[C, int], M] = {}
        try:
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            whole = [each for each in map(_read, lines) if each is not None]
            self._check(lines, whole, about)
            for each in whole[1:]:
                key = condition(*each["condition"]), int(each["seed"])
                self.runs[key] = measures(**each["measures"])
            text = "".join(f"{json.dumps(each)}\n" for each in whole or [dict(about)])
            path.write_text(text, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise BadSetting(f"{path} cannot be gone on with: {reason}. Name another file.") from None
        except (KeyError, TypeError, ValueError):
            raise BadSetting(f"{path} has other runs in it than these. Name another file.") from None

    def add(self, condition: C, seed: int, measures: M) -> None:
        """Write down a run that has ended.

        Raises
        ------
        BadSetting
            If it cannot be written.
        """
        line = {"condition": list(condition), "seed": seed, "measures": asdict(measures)}  # type: ignore[call-overload]
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(line)}\n")
        except OSError as error:
            raise BadSetting(
                f"{self._path} cannot be written: {error.strerror}. Make room, and go on with that file."
            ) from None

    def _check(self, lines: list[str], whole: list[dict[str, Any]], about: Mapping[str, Any]) -> None:
        if not lines:
            return
        there = whole[0] if whole else {}
        for name, value in about.items():
            if name not in there:
                raise BadSetting(f"{self._path} is no file of runs. Name another one.")
            if there[name] != json.loads(json.dumps(value)):
                raise BadSetting(
                    f"{self._path} has runs whose {name} is {there[name]!r}, not {value!r}. "
                    "Name another file."
                )


def _read(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
