"""The runs of a comparison in parallel, by Dask: on processes of this machine, or on a running cluster."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, Final

import distributed

from engine.comparison.journal import C, Journal, M
from engine.errors import BadSetting, DeckError

CONNECT_WITHIN: Final = 10.0
"""Seconds."""
TELL_EVERY: Final = 0.5
"""Seconds between two lines of progress."""


@contextmanager
def cluster(address: str | None, n_workers: int | None) -> Iterator[distributed.Client]:
    """A client of a running cluster, or of processes that end with it.

    Parameters
    ----------
    address : str, optional
        Of a running scheduler.
    n_workers : int, optional
        How many processes; one a processor, if None.

    Raises
    ------
    BadSetting
        If there is no such cluster.
    """
    for name in ("distributed", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # of workers that are told to end
    if address is None:
        with _local(n_workers) as local, distributed.Client(local) as client:
            yield client
        return
    try:
        client = distributed.Client(address, timeout=CONNECT_WITHIN)
    except (OSError, ValueError) as error:
        raise BadSetting(
            f"There is no Dask scheduler at {address}: {str(error).splitlines()[0]}. Start one, or leave "
            "--scheduler out."
        ) from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise BadSetting(
                f"The Dask scheduler at {address} has no workers. Start them where this is installed, "
                "in its folder: python -m distributed.cli.dask_worker ADDRESS."
            )
        yield client


def _local(n_workers: int | None) -> distributed.LocalCluster:
    """Processes of this machine, which an interrupt from the terminal does not reach: they end with us."""
    resource_tracker.ensure_running()  # which would let interrupts through when it begins
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # what begins now has it from us
    try:
        return distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # beside other clusters
            silence_logs=logging.CRITICAL,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def compared(
    client: distributed.Client,
    make: Callable[[Any, C, int], M],
    bench: Any,
    conditions: Sequence[C],
    seeds: Sequence[int],
    journal: Journal[C, M] | None = None,
) -> tuple[dict[C, dict[int, M]], int]:
    """Make every run; one that fails is told in a line, and missing.

    Parameters
    ----------
    client : Client
    make : function
        Makes one, of the bench, a condition and a seed.
    bench : object
        What all share.
    conditions : sequence
    seeds : sequence of int
    journal : Journal, optional
        What it has is not made again, and what is made is written down there.

    Returns
    -------
    results : dict
        Of measures, by condition and seed.
    n_failed : int
    """
    shared = client.scatter(bench, broadcast=True, hash=False)
    there = {} if journal is None else journal.runs
    wanted = [(condition, seed) for seed in seeds for condition in conditions]
    runs = {
        client.submit(make, shared, condition, seed, pure=False): (condition, seed)
        for condition, seed in wanted
        if (condition, seed) not in there
    }
    results: dict[C, dict[int, M]] = {condition: {} for condition in conditions}
    for condition, seed in wanted:
        if (condition, seed) in there:
            results[condition][seed] = there[condition, seed]
    progress, n_failed = Progress(len(runs)), 0
    try:
        for future in distributed.as_completed(runs):
            condition, seed = runs[future]
            if future.status == "finished":
                results[condition][seed] = future.result()
                if journal is not None:
                    journal.add(condition, seed, results[condition][seed])
            else:
                n_failed += 1
                progress.say(f"{', '.join(condition)}, seed {seed} has failed: {_why(future)}")
            progress.step()
    finally:
        progress.end()
    return results, n_failed


class Progress:
    """How far it is, in one line that is written anew; nothing where that is no terminal.

    Parameters
    ----------
    total : int
        Runs.
    """

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._shown = sys.stderr.isatty()
        self._began = self._told = time.monotonic()

    def step(self) -> None:
        """Note that a run has ended."""
        self._done += 1
        now = time.monotonic()
        if self._shown and (now - self._told > TELL_EVERY or self._done == self._total):
            self._told = now
            left = (now - self._began) / self._done * (self._total - self._done)
            self._write(f"\r{self._done} of {self._total} runs, {left:.0f} s to go\x1b[K")

    def say(self, line: str) -> None:
        """Say something else, in a line of its own."""
        self.end()
        self._write(f"serve.py compare: {line}\n")

    def end(self) -> None:
        """Clear the line."""
        if self._shown:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _why(future: Any) -> str:
    error = future.exception() if future.status == "error" else None
    if isinstance(error, DeckError):
        return str(error)
    if error is None:
        return "it was cancelled, as its cluster went."
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"
