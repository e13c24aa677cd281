"""A decoder for all sessions of all servers on one Redis: pip install redis numpy.

Usage: PHANTOM_REDIS=redis://rig1:6379/0 python redis_decoder.py
"""

import os
import sys
import time

import numpy as np
import redis

link = redis.Redis.from_url(os.environ.get("PHANTOM_REDIS", "redis://localhost:6379/0"))
after = {}  # by stream: the last entry that was read; with "$" those between two reads would be missed
looked = 0.0


def decode(counts, kinematics):
    """Yours goes here. This one answers with the cursor itself."""
    return kinematics[:2]


try:
    while True:
        if time.monotonic() > looked + 1:  # for sessions that have come and gone
            looked = time.monotonic()
            streams = [f"phantomdeck:{code.decode()}:bins" for code in link.hkeys("phantomdeck:sessions")]
            after = {stream: after.get(stream, "0-0") for stream in streams}
        for stream, entries in (link.xread(after, block=500) if after else time.sleep(0.5)) or ():
            after[stream.decode()] = entries[-1][0]
            newest = entries[-1][1]  # those before it are too late for an answer
            x, y = decode(np.frombuffer(newest[b"c"], np.uint8), np.frombuffer(newest[b"k"], "<f4"))
            answer = {"n": newest[b"n"], "decoder": "redis_decoder", "x": float(x), "y": float(y)}
            link.xadd(stream.decode().replace(":bins", ":predictions"), answer, nomkstream=True)
except redis.ConnectionError as error:
    sys.exit(f"Redis does not answer ({error}). Start it, or give its address in PHANTOM_REDIS.")
