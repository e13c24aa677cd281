"""Databases of runs, as sessions would have left them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from sessions.runs import MIGRATIONS

SETTINGS = {"seed": 0, "speed": 1.0, "perturbation": {"noise": {"enabled": False, "sigma": 1.0}}}


def runs_kept(path: Path, runs: Iterable[tuple[str, float, float | None]]) -> None:
    """Make a database with these runs: decoder, end in Unix seconds, and R2 of position.

    Seeds count up; every run is tagged "monday".
    """
    rows = [
        (
            decoder,
            ended,
            "small",
            seed,
            json.dumps({**SETTINGS, "seed": seed}),
            json.dumps({"r2_position": score, "n_bins": 400, "n_trials": 4, "n_hits": 3}),
            '["monday"]',
        )
        for seed, (decoder, ended, score) in enumerate(runs)
    ]
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(f"{' '.join(MIGRATIONS)} PRAGMA user_version = {len(MIGRATIONS)};")
        columns = "(decoder, ended, recording, seed, settings, scores, tags, session, source)"
        database.executemany(
            f"INSERT INTO runs {columns} VALUES (?, ?, ?, ?, ?, ?, ?, 'deck', 'recording')", rows
        )
