"""What the kernel says of a process that asks for real-time scheduling, and of those it starts."""

import os
import subprocess
import sys

import pytest

from engine import scheduling

SCRIPT = """
import os, subprocess, sys, threading
from engine import scheduling

def child():
    return int(subprocess.run([sys.executable, "-c", "import os; print(os.sched_getscheduler(0))"],
                              stdout=subprocess.PIPE, check=True).stdout)

print(scheduling.real_time())
print(os.sched_getscheduler(0))
of_thread = []
thread = threading.Thread(target=lambda: of_thread.append(os.sched_getscheduler(0)))
thread.start(); thread.join()
print(of_thread[0])
with scheduling.ordinary():
    print(child())
print(os.sched_getscheduler(0))
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setscheduler"), reason="Linux only")


def run() -> list[str]:
    command = [sys.executable, "-c", SCRIPT]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()


def test_threads_get_real_time_where_the_system_allows_it_and_children_do_not() -> None:
    got, *policies = run()
    here = os.SCHED_RR if got == "True" else os.SCHED_OTHER
    assert [int(policy) for policy in policies] == [here, here, os.SCHED_OTHER, here]


@pytest.mark.skipif(os.geteuid() != 0 or (os.cpu_count() or 1) < 2, reason="needs root and two processors")
def test_root_gets_real_time() -> None:
    assert run()[0] == "True"


def test_nothing_changes_without_it() -> None:
    before = os.sched_getscheduler(0)
    with scheduling.ordinary():
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
    assert os.sched_getscheduler(0) == before
