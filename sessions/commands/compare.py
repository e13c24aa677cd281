"""``serve.py compare``: what decoders are worth to simulated users who steer by them, as a table."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from engine.comparison.runs import REFERENCES, USERS, Bench, Condition, learned
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
from engine.stages.perturb import PRESETS as LEVELS
from sessions.configured import fits_of, load
from sessions.settings import Parser, Settings, checked

INTERRUPTED: Final = 130
"""Exit status of what was ended by Ctrl-C, as shells have it."""
MOST: Final = 100_000
"""Seeds, and trials of a run."""
OF_SETTINGS: Final = ("data", "series", "spike_times_in", "rate", "records")


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status: 0, 1 if a run has failed, 2 if there are none."""
    options = _options(arguments)
    for name in (signal.SIGINT, signal.SIGTERM):  # until now serve.py has had them
        signal.signal(name, signal.default_int_handler)
    try:
        return _compare(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except DeckError as error:
        print(f"serve.py compare: {error}", file=sys.stderr)
        return 2


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        "serve.py compare",
        description="Compare decoders by simulated users who steer by them: every decoder with every user, "
        "level of perturbation and seed, in parallel.",
        epilog=f"decoders: {', '.join((*DECODERS, *REFERENCES))} (the last two are what was intended, and "
        f"chance), and your own: {own.SPELLED}\nusers: {', '.join(USERS)}\nlevels: {', '.join(LEVELS)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--closed-loop", action="store_true", required=True, help="the way to compare")
    for name, names, default in (
        ("decoders", _decoders, "wiener,kalman,refit"),
        ("users", _names("user", USERS), "skilled,naive"),
        ("levels", _names("level", tuple(LEVELS)), "none"),
    ):
        parser.add_argument(
            f"--{name}", type=names, default=default, metavar="NAMES",
            help=f"with commas between them (default: {default})",
        )  # fmt: skip
    for name, number, what in (
        ("seeds", 20, "runs of each, with the same seeds for all"),
        ("trials", 16, "trials of each run"),
    ):
        parser.add_argument(f"--{name}", type=_number, default=number, help=f"{what} (default: {number})")
    for name, what in (("task", "radius=20,kind=random"), ("steering", "gain=0.5,smoothing=0.8")):
        parser.add_argument(
            f"--{name}", type=_settings, default={}, metavar="NAME=VALUE,...",
            help=f"what differs from the usual, as closed_loop of a session has it, such as {what}",
        )  # fmt: skip
    parser.add_argument("--out", type=_file, metavar="FILE", help=f"where it goes: {', '.join(FORMATS)}")
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
    return options


def _compare(options: argparse.Namespace) -> int:
    try:
        from sessions.commands.cluster import cluster, compared  # needs Dask, which others do without
    except ModuleNotFoundError as error:
        if error.name not in ("dask", "distributed"):
            raise
        raise BadSetting("compare needs Dask. Run pip install -e '.[compare]'.") from None
    given = {name: value for name, value in vars(options).items() if name in OF_SETTINGS}
    chosen = checked(given)
    recording = next(iter(load(chosen).values()))
    basis = Basis.of(recording)
    _check(basis, "task", options.task, ClosedLoop(task=options.task))  # to know first
    _check(basis, "steering", options.steering, ClosedLoop(steering=options.steering))
    conditions = [
        Condition(decoder, user, level)
        for decoder in options.decoders
        for user in options.users
        for level in options.levels
    ]
    with cluster(options.scheduler, options.workers) as client, closing(fits_of(chosen)) as fits:
        neurons = fitted(fits, recording, basis)
        made = {key: trained(key, recording) for key in options.decoders if key not in REFERENCES}
        models = {key: model for key, model in made.items() if model is not None}
        bins = lesson(recording) if len(models) < len(made) else None
        bench = Bench(basis, neurons, models, options.task, options.steering, options.trials, bins)
        results, n_failed = compared(client, bench, conditions, range(options.seeds))
    _tell(results, options.out, about(recording, options))
    return 1 if n_failed else 0


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
    """What was compared, beside the conditions."""
    return {
        "recording": recording.name,
        "sha256": recording.sha256,
        "seeds": options.seeds,
        "trials": options.trials,
        "task": options.task,
        "steering": options.steering,
    }


def _tell(results: Results, out: Path | None, facts: Mapping[str, Any]) -> None:
    print(as_markdown(results, facts), end="", flush=True)
    if out is not None:
        try:
            out.write_text(FORMATS[out.suffix](results, facts), encoding="utf-8")
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


def _file(text: str) -> Path:
    path = Path(text)
    if path.suffix not in FORMATS:
        raise argparse.ArgumentTypeError(f"{text!r} ends in none of {', '.join(FORMATS)}")
    there = path.exists()
    try:
        path.open("a").close()  # to know before hours of runs
        if not there:
            path.unlink()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be written: {error.strerror}") from None
    return path
