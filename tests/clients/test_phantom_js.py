"""The client in one file, in JavaScript, run in Node against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import CLIENTS, Client, Deck
from tests.engine.listening import wait_until

Run = Callable[[str], Client]


@pytest.fixture
def run(deck: Deck, node_modules: Path, tmp_path: Path) -> Iterator[Run]:
    """Runs the body of a program that has `deck` and the `url`."""
    started: list[Client] = []

    def start(body: str) -> Client:
        program = tmp_path / "program.mjs"
        program.write_text(
            f'import {{ deck }} from "{CLIENTS.as_uri()}/phantom.js";\nconst url = "{deck.url}";\n{body}'
        )
        environment = {"NODE_PATH": str(node_modules), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        started.append(Client(["node", str(program)], env=environment))
        return started[-1]

    yield start
    for client in started:
        client.close()


def test_a_decoder_is_two_lines_and_is_scored(deck: Deck, run: Run) -> None:
    run("""
for await (const bin of deck("demo", { url, name: "mine" })) {
  bin.answer(bin.kinematics);
  if (bin.sequence_number === 9) break;
}""").end()
    predictions = deck.store.get("demo").predictions
    wait_until(lambda: predictions.ring.head >= 10)
    assert predictions.names == ["mine"]
    rows = predictions.ring.snapshot()[:10]
    assert rows["sequence_number"].tolist() == [*range(10)]
    assert rows["values"][3].tolist() == [7.0, 0.0, 80.0, 0.0]


def test_a_loop_that_answers_nothing_goes_on_beyond_its_credit(run: Run) -> None:
    said = run("""
for await (const bin of deck(undefined, { url, credit: 2, truth: false, trials: [1, 3] })) {
  console.log(bin.packet_id, bin.counts.length, bin.kinematics.x, bin.missed);
  if (bin.sequence_number === 6) break;
}""").end()
    assert said.splitlines() == [f"{50 + i} 5 null 0" for i in range(7)]


def test_it_comes_back_counts_what_it_missed_and_ends_with_its_session(deck: Deck, run: Run) -> None:
    client = run("""
const onTrouble = (line) => console.log(line);
for await (const bin of deck("demo", { url, onTrouble })) {
  if (bin.missed) console.log("missed", bin.missed > 0);
  if (bin.sequence_number === 0) console.log("first");
}
console.log("the end");""")
    client.until("first")
    (fanout,) = deck.store.get("demo").audiences
    fanout.close(1013, "Too slow.")
    assert "Disconnected (Too slow.)" in client.until("Disconnected")
    client.until("missed true")
    deck.store.delete("demo", force=True)
    assert client.end().endswith("the end\n")


def test_what_the_server_finds_wrong_is_told(run: Run) -> None:
    client = run("""
for await (const bin of deck("demo", { url, onTrouble: console.log })) bin.answer({ x: 1 });""")
    assert "One of x and y is missing" in client.until("The server says")
