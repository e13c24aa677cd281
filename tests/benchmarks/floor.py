"""The machine's floor, as a process: ``python -m tests.benchmarks.floor SECONDS [real_time]``."""

import json
import sys

from engine import scheduling
from tests.benchmarks import sleep_floor

if __name__ == "__main__":
    if "real_time" in sys.argv:
        scheduling.real_time()
    print(json.dumps(sleep_floor(seconds=float(sys.argv[1]))))
