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
options = {'ContentType', 'text', 'Timeout', 20, ...
    'HeaderFields', {'Authorization', ['Bearer ' getenv('PHANTOM_TOKEN')]}};
asking = weboptions(options{:});
telling = weboptions(options{:}, 'RequestMethod', 'post');
since = '';
while true
    found = jsondecode(webread(['$session/bins?decoder=matlab' since], asking)); % waits for the next
    since = sprintf('&since=%d', found.next);
    for i = 1:numel(found.bins)
        packet = found.bins(i);
        fprintf('%d: %d spikes\\n', packet.sequence_number, sum(packet.spikes.spike_counts));
        answer = sprintf('sequence_number=%d&x=%f&y=%f', packet.sequence_number, 0, 0); % yours
        webread(['$session/predictions?decoder=matlab&' answer], telling);
    end
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
    rest = f"http{reach.host.removeprefix('ws')}/api/sessions/{code}"
    yield Snippet("matlab", "MATLAB", f"By REST; in Octave 7, too.{hint}", MATLAB.substitute(session=rest))
    if reach.lsl_stream is None:
        yield Snippet("lsl", "LSL", "This session has no LSL streams; make one with LSL on.", "")
    else:
        words = {"stream": reach.lsl_stream, "code": code, "predictions": f"{rest}/predictions"}
        silent = "LSL is silent at speed max."
        yield Snippet("lsl", "Python, LSL", f"pip install pylsl. {silent}{hint}", LSL.substitute(words))
    if reach.redis:
        where = "pip install redis; the server's Redis in PHANTOM_REDIS."
        note = f"{where} Press Play: Redis tells nobody who reads."
        yield Snippet("redis", "Python, Redis", note, REDIS.substitute(code=code, kind=reach.kind))
