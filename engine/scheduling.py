"""Real-time scheduling: ticks stay punctual when other programs want the processors.

A browser that draws in software makes a bare loop of sleeps late by tenths of a second, however idle
the loop is: the kernel shares the processors fairly, and fair is not punctual. Threads inherit the
policy of the thread that starts them, so one call before the first thread is enough. All threads get
it, as one that holds the interpreter's lock and has to wait for a processor holds up all others.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

PRIORITY = 1
"""The lowest of the real-time priorities (1 to 99): above every ordinary program, below every driver."""


def real_time() -> bool:
    """Ask for round-robin real-time scheduling of this thread and those it starts (``sched(7)``).

    Returns
    -------
    bool
        Whether the system has it and allows it: on Linux root may, and whoever has ``rtprio`` among
        their limits or ``CAP_SYS_NICE``.
    """
    if not hasattr(os, "sched_setscheduler") or (os.cpu_count() or 1) < 2:  # leave others a processor
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except OSError:
        return False
    return True


@contextlib.contextmanager
def ordinary() -> Iterator[None]:
    """Start processes in this block: they, and this thread meanwhile, are scheduled as others are.

    Wait for them outside of it.
    """
    if not hasattr(os, "sched_setscheduler") or os.sched_getscheduler(0) == os.SCHED_OTHER:
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)
