"""Runs: what every decoder that was scored has reached, kept in a database beside the records."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from engine.answers.scores.summary import Summary
from engine.bins.description import recorded
from sessions.archive import settings_of
from sessions.refusals import NoRecords, UnknownRun
from sessions.run_choice import Choice, Known, Order
from sessions.session import Session

log = logging.getLogger(__name__)

LEAST_BINS: Final = 40
"""Bins that a decoder must have been scored on, for its run to be kept."""
BUSY: Final = 1.0
"""Seconds for which another program may hold the file."""

CHANGES: Final = slice(24, 28)
"""Where SQLite counts the changes of a file (https://www.sqlite.org/fileformat.html, 1.3.7)."""
ALL: Final = Choice()
NEWEST: Final = Order()

MIGRATIONS: Final = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        ended REAL NOT NULL,
        decoder TEXT NOT NULL,
        session TEXT NOT NULL,
        recording TEXT NOT NULL,
        sha256 TEXT,
        source TEXT NOT NULL,
        seed INTEGER NOT NULL,
        settings TEXT NOT NULL,
        scores TEXT NOT NULL
    );
    """,
    """
    ALTER TABLE runs ADD COLUMN notes TEXT NOT NULL DEFAULT '';
    ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
    CREATE INDEX runs_by_time ON runs (ended);
    """,
)
"""What leads from each version of the schema to the next, the first from an empty file."""


@dataclass(frozen=True)
class Run:
    """One decoder in one session, from its first answer to the session's end or restart.

    Attributes
    ----------
    id : int
    ended : float
        Unix seconds.
    decoder, session, recording : str
    sha256 : str or None
        Of the recording; None where the source was none.
    source : str
    seed : int
    settings : mapping
        Of the session at the end, as records have them.
    scores : mapping
        The fields of `engine.answers.scores.sums.Measures` over all; None where nothing can be said.
    notes : str
    tags : tuple of str
    """

    id: int
    ended: float
    decoder: str
    session: str
    recording: str
    sha256: str | None
    source: str
    seed: int
    settings: Mapping[str, Any]
    scores: Mapping[str, Any]
    notes: str = ""
    tags: tuple[str, ...] = ()


class Runs:
    """The runs in one file. Its methods may be called from any thread, and may block.

    Parameters
    ----------
    path : Path
        Of an SQLite database; made with its folder when the first run is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, session: Session) -> list[int]:
        """Keep a run for each decoder of a session that was scored; what hinders it is logged.

        Returns
        -------
        list of int
            Their ids.
        """
        try:
            return self.add(session)
        except NoRecords as error:
            log.warning("The scores of session %s are not kept: %s", session.code, error)
            return []

    def add(self, session: Session, decoder: str | None = None) -> list[int]:
        """The same, or for one decoder alone; what hinders it is raised.

        Raises
        ------
        NoRecords
        """
        decoders = session.scores.latest().decoders
        scored = {name: each for name, each in decoders.items() if each.total.n_bins >= LEAST_BINS}
        if decoder is not None:
            scored = {decoder: scored[decoder]} if decoder in scored else {}
        if not scored:
            return []
        with self._opened() as database:
            return [_insert(database, name, summary, session) for name, summary in scored.items()]

    def kept(
        self, choice: Choice = ALL, order: Order = NEWEST, limit: int = 10_000, offset: int = 0
    ) -> list[Run]:
        """So many of the chosen runs, from the `offset`-th on."""
        (where, values), (by, more) = choice.where(), order.order()
        asked = f"SELECT * FROM runs WHERE {where} ORDER BY {by} LIMIT ? OFFSET ?"
        return [_run(row) for row in self._asked(asked, (*values, *more, limit, offset))]

    def known(self, choice: Choice = ALL) -> Known:
        """What there is to choose from, and how many runs this chooses."""
        where, values = choice.where()
        counted = self._asked(f"SELECT count(*) FROM runs WHERE {where}", values)
        return Known(
            self._names("decoder FROM runs"),
            self._names("recording FROM runs"),
            self._names("value FROM runs, json_each(tags)"),
            sum(n for (n,) in counted),
        )

    def over_time(self, score: str, choice: Choice = ALL) -> list[tuple[str, float, float]]:
        """Decoder, end (Unix seconds) and one score of the chosen runs that have it, the oldest first."""
        where, values = choice.where()
        asked = f"SELECT decoder, ended, json_extract(scores, ?) AS score FROM runs WHERE {where}"
        whole = f"SELECT * FROM ({asked}) WHERE score IS NOT NULL ORDER BY ended"
        return [(str(decoder), *at) for decoder, *at in self._asked(whole, (f"$.{score}", *values))]

    def version(self) -> bytes:
        """Another one after every change, whoever has made it: the file's own count of changes."""
        try:
            with self._path.open("rb") as file:
                return file.read(CHANGES.stop)[CHANGES]
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise _unusable(self._path, error) from None

    def get(self, run: int) -> Run:
        """One run.

        Raises
        ------
        UnknownRun
        """
        for row in self._asked("SELECT * FROM runs WHERE id = ?", (run,)):
            return _run(row)
        raise UnknownRun(f"There is no run {run}. GET /api/runs lists those that are kept.")

    def some(self, runs: Sequence[int]) -> list[Run]:
        """Those of these runs that there still are, in this order."""
        found = [self._asked("SELECT * FROM runs WHERE id = ?", (run,)) for run in runs]
        return [_run(row) for rows in found for row in rows]

    def annotate(self, run: int, notes: str | None = None, tags: Sequence[str] | None = None) -> Run:
        """Write notes or tags to a run; what is None stays as it is. `UnknownRun` if there is none."""
        before = self.get(run)
        notes = before.notes if notes is None else notes
        spelled = json.dumps(list(before.tags if tags is None else tags))
        with self._opened() as database:
            database.execute("UPDATE runs SET notes = ?, tags = ? WHERE id = ?", (notes, spelled, run))
        return self.get(run)

    def delete(self, run: int) -> None:
        """Forget a run; `UnknownRun` if there is none."""
        self.get(run)
        with self._opened() as database:
            database.execute("DELETE FROM runs WHERE id = ?", (run,))

    def _names(self, column: str) -> tuple[str, ...]:
        return tuple(str(name) for (name,) in self._asked(f"SELECT DISTINCT {column} ORDER BY 1"))

    def _asked(self, statement: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Nothing where no run was kept yet."""
        if not self._path.exists():
            return []
        try:
            with self._opened("BEGIN") as database:
                return database.execute(statement, values).fetchall()
        except OverflowError:  # an id beyond SQLite's integers: no run has it
            return []

    @contextmanager
    def _opened(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """A transaction on the file, which has the newest schema; by "BEGIN", one that only reads.

        Raises
        ------
        NoRecords
            If it cannot be read or written, or is of a newer PhantomDeck.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)
            with closing(connection) as database, database:
                database.row_factory = sqlite3.Row
                database.execute(begin)
                _migrate(database)
                yield database
        except (sqlite3.Error, OSError) as error:
            raise _unusable(self._path, error) from None


def _unusable(path: Path, error: Exception) -> NoRecords:
    remedy = "Close what holds it" if "locked" in str(error) else "Choose another folder with --records"
    return NoRecords(f"{path.name} cannot be used ({error}). {remedy}.")


def _migrate(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise NoRecords(
            f"The runs in this folder are of a newer PhantomDeck (schema {version}, this one has "
            f"{len(MIGRATIONS)}). Update this one, or choose another folder with --records."
        )
    for statements in MIGRATIONS[version:]:
        for statement in statements.split(";"):
            database.execute(statement)
    if version < len(MIGRATIONS):  # else whoever reads would change the file
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _insert(database: sqlite3.Connection, decoder: str, summary: Summary, session: Session) -> int:
    source = recorded(session.description)
    scores = {name: value if value == value else None for name, value in asdict(summary.total).items()}
    values = {
        "ended": time.time(),
        "decoder": decoder,
        "session": session.code,
        "recording": session.description.name,
        "sha256": source.sha256 if source else None,
        "source": session.replay.source.kind,
        "seed": session.options.seed,
        "settings": json.dumps(settings_of(session)),
        "scores": json.dumps(scores),
    }
    columns, places = ", ".join(values), ", ".join("?" * len(values))
    done = database.execute(f"INSERT INTO runs ({columns}) VALUES ({places})", tuple(values.values()))
    return int(done.lastrowid or 0)


def _run(row: sqlite3.Row) -> Run:
    fields = dict(row)
    for name in ("settings", "scores", "tags"):
        fields[name] = json.loads(fields[name])
    return Run(**{**fields, "tags": tuple(fields["tags"])})
