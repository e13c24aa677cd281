"""``serve.py compare``: what decoders are worth, in open loop or to simulated users, as a table."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from itertools import product
from pathlib import Path
from typing import Any, Final

from engine.answers.scores.sums import Measures
from engine.comparison.journal import C, Journal, M
from engine.comparison.open_loop import Exam, OpenCondition, OpenMeasures, run_open
from engine.comparison.runs import REFERENCES, USERS, Bench, Condition, learned, run
from engine.comparison.table import FORMATS, Results, as_markdown
from engine.decoders import DECODERS, own
from engine.decoders.bins import Bins, learned_from
from engine.decoders.store import Trained, to_npz
from engine.errors import BadModel, BadSetting, CannotFit, DeckError, DecoderFault
from engine.sources.recordings.recording import Recording
from engine.sources.user.closed_loop import ClosedLoop, settings_of
from engine.sources.user.fitting import Fits
from engine.sources.user.neurons import Neurons
from engine.sources.user.workspace import Basis
from engine.stages.perturb import ALL_PRESETS, DAYS
from engine.stages.perturb.encoding import encoding_of
from sessions.configured import fits_of, load
from sessions.settings import Parser, Settings, checked

INTERRUPTED: Final = 130
"""Exit status of what was ended by Ctrl-C, as shells have it."""
MOST: Final = 100_000
"""Seeds, and trials of a run."""
OF_SETTINGS: Final = ("data", "series", "spike_times_in", "rate", "records")
OF_CLOSED_LOOP: Final = ("users", "trials", "task", "steering")
FIGURES: Final = (".svg", ".png", ".pdf")


Draw = Callable[[Results, Mapping[str, Any], str], bytes]
"""Draws a figure of a comparison: its results, what was compared, and the kind of file."""


def main(arguments: Sequence[str], draw: Draw | None = None) -> int:
    """Run the command; returns the exit status: 0, 1 if a run has failed, 2 if there are none.

    Parameters
    ----------
    arguments : sequence of str
    draw : function, optional
        What makes figures; without it none can be asked for.
    """
    options = _options(arguments)
    for name in (signal.SIGINT, signal.SIGTERM):  # until now serve.py has had them
        signal.signal(name, signal.default_int_handler)
    try:
        return _compare(options, draw)
    except KeyboardInterrupt:
        kept = f"The same command goes on with {options.runs}." if options.runs else "Nothing is kept."
        print(f"serve.py compare: interrupted. {kept}", file=sys.stderr)
        return INTERRUPTED
    except DeckError as error:
        print(f"serve.py compare: {error}", file=sys.stderr)
        return 2


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        "serve.py compare",
        description="Compare decoders in parallel: each with every level of perturbation and seed, "
        "on the trials that it has not learned from; or by simulated users who steer by it.",
        epilog=f"decoders: {', '.join((*DECODERS, *REFERENCES))} (the last two are what was intended, and "
        f"chance), and your own: {own.SPELLED}\nusers: {', '.join(USERS)}\n"
        f"levels: {', '.join(ALL_PRESETS)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--open-loop", action="store_true", help="compare on the recording's last trials")
    ways.add_argument("--closed-loop", action="store_true", help="compare by simulated users")
    for name, names, default in (
        ("decoders", _decoders, "wiener,kalman,refit"),
        ("levels", _names("level", tuple(ALL_PRESETS)), "none"),
    ):
        parser.add_argument(
            f"--{name}", type=names, default=default, metavar="NAMES",
            help=f"with commas between them (default: {default})",
        )  # fmt: skip
    parser.add_argument(
        "--seeds", type=_number, default=20, help="runs of each, with the same seeds for all (default: 20)"
    )
    parser.add_argument(
        "--users", type=_names("user", USERS), metavar="NAMES",
        help="of --closed-loop, with commas between them (default: skilled,naive)",
    )  # fmt: skip
    parser.add_argument("--trials", type=_number, help="of each run of --closed-loop (default: 16)")
    for name, what in (("task", "radius=20,kind=random"), ("steering", "gain=0.5,smoothing=0.8")):
        parser.add_argument(
            f"--{name}", type=_settings, metavar="NAME=VALUE,...",
            help=f"of --closed-loop: what differs from the usual, as a session's closed_loop: {what}",
        )  # fmt: skip
    parser.add_argument(
        "--out", type=_file(FORMATS), metavar="FILE", help=f"where it goes: {', '.join(FORMATS)}"
    )
    parser.add_argument(
        "--figure", type=_file(FIGURES), metavar="FILE", help=f"what is drawn of it: {', '.join(FIGURES)}"
    )
    parser.add_argument(
        "--runs", type=Path, metavar="FILE",
        help="where each run is written when it ends; what is there already is not run again",
    )  # fmt: skip
    parser.add_argument("--workers", type=_number, help="processes (default: one a processor)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a running Dask cluster, as tcp://HOST:8786"
    )
    parser.add_argument("--plugins", help="folder of your own decoders, as serve.py takes it")
    for name in OF_SETTINGS:
        parser.add_argument(
            f"--{name.replace('_', '-')}", default=argparse.SUPPRESS, metavar=name.upper(),
            help=Settings.model_fields[name].description,
        )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.scheduler and options.workers:
        parser.error("a running --scheduler has workers of its own; leave --workers out")
    if options.open_loop:
        for name in OF_CLOSED_LOOP:
            if getattr(options, name) is not None:
                parser.error(f"--{name} is of --closed-loop; leave it out")
        if references := set(options.decoders) & set(REFERENCES):
            parser.error(f"{' and '.join(sorted(references))} answer to users alone, with --closed-loop")
    else:
        options.users = options.users or ("skilled", "naive")
        options.trials = options.trials or 16
    options.task, options.steering = options.task or {}, options.steering or {}
    return options


def _compare(options: argparse.Namespace, draw: Draw | None) -> int:
    try:
        from sessions.commands.cluster import cluster  # needs Dask, which others do without
    except ModuleNotFoundError as error:
        if error.name not in ("dask", "distributed"):
            raise
        raise BadSetting("compare needs Dask. Run pip install -e '.[compare]'.") from None
    given = {name: value for name, value in vars(options).items() if name in OF_SETTINGS}
    chosen = checked(given)
    recordings = load(chosen)
    recording = next(iter(recordings.values()))
    if len(recordings) > 1:
        print(
            f"serve.py compare: of {len(recordings)} recordings {recording.name} is taken. Name the file "
            "of another one with --data.",
            file=sys.stderr,
        )
    facts = about(recording, options)
    results: Results
    if options.open_loop:
        tested = _tested(recording)
        opened = _journal(options, facts, OpenCondition, OpenMeasures)
        with cluster(options.scheduler, options.workers) as client:
            encoding = encoding_of(recording) if set(options.levels) & set(DAYS) else None
            exam = Exam(tested, *_taught(options, recording), encoding)
            results, n_failed = _compared(client, run_open, exam, _open(options), options, opened)
    else:
        basis = Basis.of(recording)
        _check(basis, "task", options.task, ClosedLoop(task=options.task))  # to know first
        _check(basis, "steering", options.steering, ClosedLoop(steering=options.steering))
        closed = _journal(options, facts, Condition, Measures)
        with cluster(options.scheduler, options.workers) as client, closing(fits_of(chosen)) as fits:
            neurons = fitted(fits, recording, basis)
            models, bins = _taught(options, recording)
            bench = Bench(basis, neurons, models, options.task, options.steering, options.trials, bins)
            results, n_failed = _compared(client, run, bench, _closed(options), options, closed)
    _tell(results, options, {**facts, "seeds": options.seeds}, draw)
    return 1 if n_failed else 0


def _compared(
    client: Any,
    make: Callable[[Any, C, int], M],
    bench: Any,
    conditions: Sequence[C],
    options: argparse.Namespace,
    journal: Journal[C, M] | None,
) -> tuple[dict[C, dict[int, M]], int]:
    from sessions.commands.cluster import compared

    return compared(client, make, bench, conditions, range(options.seeds), journal)


def _open(options: argparse.Namespace) -> list[OpenCondition]:
    return [OpenCondition(*each) for each in product(options.decoders, options.levels)]


def _closed(options: argparse.Namespace) -> list[Condition]:
    return [Condition(*each) for each in product(options.decoders, options.users, options.levels)]


def _journal(
    options: argparse.Namespace, facts: Mapping[str, Any], condition: type[C], measures: type[M]
) -> Journal[C, M] | None:
    return None if options.runs is None else Journal(options.runs, facts, condition, measures)


def _taught(options: argparse.Namespace, recording: Recording) -> tuple[dict[str, bytes], Bins | None]:
    """Models of decoders that have learned, and what those learn from that have none."""
    made = {key: trained(key, recording) for key in options.decoders if key not in REFERENCES}
    models = {key: model for key, model in made.items() if model is not None}
    return models, lesson(recording) if len(models) < len(made) else None


def _tested(recording: Recording) -> Bins:
    """The part of a recording that no decoder learns from.

    Raises
    ------
    CannotFit
        If there is none.
    """
    ids = recording.trial_ids
    rest = ids[len(learned_from(ids)) :]
    if not rest:
        raise CannotFit(
            f"All {len(ids)} trials of {recording.name} are learned from, and none is left to test on. "
            "Choose a recording with more."
        )
    return Bins.of(recording, rest)


def _check(basis: Basis, name: str, given: Mapping[str, Any], loop: ClosedLoop) -> None:
    try:
        settings_of(basis.workspace, loop)
    except BadSetting as error:
        spelled = ",".join(f"{key}={value}" for key, value in given.items())
        raise BadSetting(f"--{name} {spelled[:80]}: {error}") from None


def fitted(fits: Fits, recording: Recording, basis: Basis) -> Neurons:
    """The neurons of a recording, when they are there.

    Raises
    ------
    CannotFit
    """
    fit, done = fits.of(recording, basis.workspace), threading.Event()
    fit.on_done(done.set)
    done.wait()
    if fit.made is None:
        raise CannotFit(str(fit.error))
    return fit.made


def lesson(recording: Recording) -> Bins:
    """The part of a recording that `serve.py decode` has a decoder learn from."""
    ids = recording.trial_ids
    return Bins.of(recording, learned_from(ids))


def trained(key: str, recording: Recording) -> bytes | None:
    """A decoder that has learned; None if what it has learned stays in its process."""
    bins = lesson(recording)
    decoder = learned(key, bins)
    ids = bins.trials if decoder.learned else ()
    n_units = bins.counts.shape[1]
    with suppress(BadModel):
        return to_npz(decoder, Trained(bins.recording, bins.sha256, n_units, bins.bin_rate, ids))
    return None


def about(recording: Recording, options: argparse.Namespace) -> dict[str, Any]:
    """What was compared, beside conditions and seeds."""
    return {
        "recording": recording.name,
        "sha256": recording.sha256,
        "way": "open loop" if options.open_loop else "closed loop",
        **({} if options.open_loop else {name: getattr(options, name) for name in OF_CLOSED_LOOP[1:]}),
    }


def _tell(
    results: Results, options: argparse.Namespace, facts: Mapping[str, Any], draw: Draw | None
) -> None:
    print(as_markdown(results, facts), end="", flush=True)
    if options.out is not None:
        _write(options.out, FORMATS[options.out.suffix](results, facts).encode())
    if options.figure is not None and draw is not None:
        _write(options.figure, draw(results, facts, options.figure.suffix.removeprefix(".")))


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise BadSetting(f"{out} cannot be written: {error.strerror}. The table is above.") from None


# What the options are made of


def _decoders(text: str) -> tuple[str, ...]:
    """Names of decoders; those of one's own are known from now on."""
    given = [name.strip() for name in text.split(",")]
    try:
        mine = {name: own.named(name) for name in given if ":" in name or "." in name}
    except DeckError as error:
        if isinstance(error, DecoderFault) and error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        raise argparse.ArgumentTypeError(str(error)) from None
    known = (*DECODERS, *REFERENCES)
    return _names("decoder", known)(",".join(mine.get(name, name) for name in given))


def _names(what: str, known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def names(text: str) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
        for name in given:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f"there is no {what} {name[:80]!r}; choose {', '.join(known)}"
                )
        return given

    return names


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text) or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no whole number from 1 to {MOST:,}")
    return int(text)


def _settings(text: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not (name and equals and value):
            raise argparse.ArgumentTypeError(f"{part[:80]!r} is not NAME=VALUE")
        given[name] = _value(value)
    return given


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _file(endings: Iterable[str]) -> Callable[[str], Path]:
    def file(text: str) -> Path:
        path = Path(text)
        if path.suffix not in endings:
            raise argparse.ArgumentTypeError(f"{text!r} ends in none of {', '.join(endings)}")
        there = path.exists()
        try:
            path.open("a").close()  # to know before hours of runs
            if not there:
                path.unlink()
        except OSError as error:
            raise argparse.ArgumentTypeError(f"{text} cannot be written: {error.strerror}") from None
        return path

    return file
