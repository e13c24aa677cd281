"""Programs that connect to a session, ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from string import Template


@dataclass(frozen=True)
class Snippet:
    key: str
    language: str
    note: str
    text: str


PYTHON = Template("""\
import json

from websocket import create_connection

socket = create_connection("$url")
metadata = json.loads(socket.recv())
print(metadata["dataset"], metadata["num_channels"], "units")
while True:
    packet = json.loads(socket.recv())["data"]
    counts, cursor = packet["spikes"]["spike_counts"], packet["kinematics"]
    number = packet["sequence_number"]
    print(number, sum(counts), cursor["x"], cursor["y"])
    socket.send(json.dumps({"type": "prediction", "sequence_number": number, "x": 0, "y": 0}))  # yours
""")

JAVASCRIPT = Template("""\
const socket = new WebSocket("$url");
socket.onmessage = ({ data }) => {
  const packet = JSON.parse(data);
  if (packet.type !== "data") return; // the first message describes the recording
  const { sequence_number, spikes, kinematics } = packet.data;
  console.log(sequence_number, spikes.spike_counts, kinematics);
  socket.send(JSON.stringify({ type: "prediction", sequence_number, x: 0, y: 0 })); // yours
};
""")

SET_TOKEN = "Set the environment variable PHANTOM_TOKEN to the server's token."
GUARDED_PYTHON = Template(
    PYTHON.template.replace("import json\n", "import json\nimport os\n", 1).replace(
        '"$url"', '"$url", header=["Authorization: Bearer " + os.environ["PHANTOM_TOKEN"]]'
    )
)
GUARDED_JAVASCRIPT = Template(
    JAVASCRIPT.template.replace('"$url"', '"$url?token=" + encodeURIComponent(process.env.PHANTOM_TOKEN)')
)

LSL = Template("""\
import json
import os
from urllib.request import Request, urlopen

from pylsl import StreamInfo, StreamInlet, StreamOutlet, resolve_byprop

inlet = StreamInlet(resolve_byprop("name", "$stream", timeout=10)[0])
outlet = StreamOutlet(StreamInfo("answers-$code", "Decoded", 4, 0, "double64"))  # x, y, vx, vy
headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ.get('PHANTOM_TOKEN')}"}
urlopen(Request("$predictions", json.dumps({"lsl": "answers-$code"}).encode(), headers))
while True:
    counts, stamp = inlet.pull_sample()
    print(f"{stamp:.3f} s: {sum(counts)} spikes")
    outlet.push_sample([0, 0, float("nan"), float("nan")], stamp)  # yours, with the bin's time stamp
""")

MATLAB = Template("""\
lib = lsl_loadlib();
found = lsl_resolve_byprop(lib, 'name', '$stream', 1, 10);
inlet = lsl_inlet(found{1});
outlet = lsl_outlet(lsl_streaminfo(lib, 'answers-$code', 'Decoded', 4, 0, 'cf_double64', 'answers-$code'));
options = weboptions('MediaType', 'application/json', ...
    'HeaderFields', {'Authorization', ['Bearer ' getenv('PHANTOM_TOKEN')]});
webwrite('$predictions', struct('lsl', 'answers-$code'), options);
while true
    [counts, stamp] = inlet.pull_sample();
    fprintf('%.3f s: %d spikes\\n', stamp, sum(counts));
    outlet.push_sample([0; 0; NaN; NaN], stamp); % yours, with the bin's time stamp
end
""")

REDIS = Template("""\
import os

import redis

link = redis.Redis.from_url(os.environ.get("PHANTOM_REDIS", "redis://localhost:6379/0"))
newest = "$$"
while True:
    for _, entries in link.xread({"phantomdeck:$code:bins": newest}, block=0):
        newest, packet = entries[-1]
        counts = memoryview(packet[b"c"]).cast("$kind")
        print(int(packet[b"n"]), sum(counts))
        answer = {"n": packet[b"n"], "decoder": "redis", "x": 0, "y": 0}  # yours
        link.xadd("phantomdeck:$code:predictions", answer, nomkstream=True)
""")


@dataclass(frozen=True)
class Reach:
    """Where programs find a session.

    Attributes
    ----------
    host : str
        ``ws://HOST:PORT``, and the prefix of a proxy.
    code : str
    lsl_stream : str, optional
        Name of its neural LSL stream; None if it has none.
    redis : bool
        Whether it is on Redis.
    kind : str
        Of its counts there, as `memoryview.cast` has it.
    guarded : bool
        Whether the server has a token. The programs read it from the environment, as they may be shared.
    """

    host: str
    code: str
    lsl_stream: str | None = None
    redis: bool = False
    kind: str = "B"
    guarded: bool = False


def snippets(reach: Reach) -> Iterator[Snippet]:
    """The programs of one session, each a decoder that answers."""
    hint = f" {SET_TOKEN}" if reach.guarded else ""
    url, code = f"{reach.host}/stream/{reach.code}", reach.code
    python, javascript = (GUARDED_PYTHON, GUARDED_JAVASCRIPT) if reach.guarded else (PYTHON, JAVASCRIPT)
    yield Snippet("python", "Python", f"pip install websocket-client.{hint}", python.substitute(url=url))
    yield Snippet(
        "javascript",
        "JavaScript",
        f"In Node 22, or in a page whose origin the server lets in with --allow-origin.{hint}",
        javascript.substitute(url=url),
    )
    if reach.lsl_stream is None:
        yield Snippet("lsl", "LSL", "This session has no LSL streams; make one with LSL on.", "")
    else:
        rest = f"http{reach.host.removeprefix('ws')}/api/sessions/{code}/predictions"
        words = {"stream": reach.lsl_stream, "code": code, "predictions": rest}
        silent = "LSL is silent at speed max."
        yield Snippet("lsl", "Python, LSL", f"pip install pylsl. {silent}{hint}", LSL.substitute(words))
        note = f"With liblsl-Matlab on the path. {silent}{hint}"
        yield Snippet("matlab", "MATLAB, LSL", note, MATLAB.substitute(words))
    if reach.redis:
        where = "pip install redis; the server's Redis in PHANTOM_REDIS."
        note = f"{where} Press Play: Redis tells nobody who reads."
        yield Snippet("redis", "Python, Redis", note, REDIS.substitute(code=code, kind=reach.kind))
