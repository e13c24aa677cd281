"""``serve.py decode``: a decoder as an outside process, as a user's own would be."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from engine.decoders import DECODERS, Decoder, make_decoder, own
from engine.decoders.bins import Bins, learned_from
from engine.decoders.store import Trained, load, save
from engine.errors import BadSetting, DeckError, DecoderFault, RecordingError
from sessions.commands.answering import Answerer, answer_stream
from sessions.commands.client import (
    ANSWER_WITHIN,
    DECODING,
    Unreachable,
    add_server,
    credentials,
    http_of,
    quieten,
    refusal_in,
    unreachable,
)
from sessions.commands.tls import trusted
from sessions.settings import Parser

RECORDING, ELECTRODES = "recording", "electrodes"
"""Sources of sessions, as the wire has them."""

NOT_YET = 503
"""HTTP status of what is there later: `Retry-After` says when."""
FETCH_WITHIN = 120.0
"""Seconds; a recording that is asked for the first time must be read."""
LARGEST = 2**31
"""Bytes of bins."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status: 0 when the session ends or on SIGINT, 2 if it cannot."""
    quieten()
    for name in (signal.SIGINT, signal.SIGTERM):  # a shell's background job starts with SIGINT ignored
        signal.signal(name, signal.default_int_handler)
    try:
        _decode(_options(arguments))
    except KeyboardInterrupt:
        pass
    except (Unreachable, DeckError) as error:
        if isinstance(error, DecoderFault) and error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        print(f"serve.py decode: {error}", file=sys.stderr)
        return 2
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        "serve.py decode",
        description="Decode a session of a running server.",
        epilog=_hyperparameters(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--session", required=True, metavar="CODE", help="session; a new code makes one")
    parser.add_argument(
        "--source",
        help="of the session, such as electrodes:96 (default: what it has, else the server's own)",
    )
    parser.add_argument("--plugins", help="folder of your own decoders, as serve.py takes it")
    parser.add_argument(
        "--decoder", metavar="NAME",
        help=f"what decodes: one of those below, or your own: {own.SPELLED}; needless with --model",
    )  # fmt: skip
    add_server(parser)
    parser.add_argument("--name", help="under which it is scored (default: the decoder's)")
    parser.add_argument(
        "--train", type=_trials, metavar="TRIALS",
        help="ids to learn from, such as 0-599 or 1,4,9 (default: the first three quarters)",
    )  # fmt: skip
    parser.add_argument(
        "--bins", type=Path, metavar="FILE",
        help="learn from these bins, as /api/recording/bins.npz has them, and not from the recording",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], type=_setting, metavar="NAME=VALUE", dest="settings",
        help="a hyperparameter, see below (repeat it for several)",
    )  # fmt: skip
    parser.add_argument("--model", type=Path, metavar="FILE", help="take this trained decoder")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the trained decoder")
    options = parser.parse_args(arguments)
    if options.decoder in DECODERS if options.model else options.decoder is None:
        parser.error("give either --decoder or --model")
    if options.model and (options.train or options.bins or options.settings or options.save):
        parser.error("a trained --model takes no --train, --bins, --set or --save")
    if options.bins and options.train:
        parser.error("--bins are what is learned from; leave --train out")
    if options.decoder is not None:
        try:
            options.decoder = own.named(options.decoder)
        except BadSetting as error:
            parser.error(str(error))
    return options


def _hyperparameters() -> str:
    """The decoders that are known, each with its hyperparameters and their defaults."""
    lines = ["decoders, with the hyperparameters that --set changes, and their defaults:"]
    for key, decoder in DECODERS.items():
        lines.append(f"  {key}")
        lines += [
            f"    {f'{name}={_usual(decoder.param[name].default)}':20} {decoder.param[name].doc}"
            for name in decoder.param
            if name != "name"
        ]
    return "\n".join(lines)


def _usual(value: float | None) -> str:
    return "chosen" if value is None else f"{value:g}"


Check = Callable[[Mapping[str, Any]], None]
"""Refuses a stream, by its metadata, that a decoder does not fit."""


def _decode(options: argparse.Namespace) -> None:
    session = _session(options)
    metadata = json.loads(_fetch(options, "/api/metadata", {"recording": session["recording"]}))
    decoder, check = (_loaded if options.model else _made)(options, session, metadata)
    code = session["session_code"]
    stream = f"/stream/binary/{code}?layout=compact" + ("" if decoder.uses_truth else "&truth=0")
    name = options.name or decoder.key
    stream += f"&{urlencode({'decoder': name})}"
    answerer = Answerer(decoder, name)
    hint = " Ctrl+C ends it." if sys.stdout.isatty() else ""
    print(f"{DECODING} {code} with {decoder.key}.{hint}", flush=True)
    try:
        print(asyncio.run(answer_stream(options.url, stream, answerer, check, options.token)))
    finally:
        print(answerer, flush=True)


def _loaded(
    options: argparse.Namespace, session: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[Decoder, Check]:
    """The decoder of a model."""
    decoder, trained = load(options.model)
    check = partial(_check, trained)
    if session["source"] == RECORDING:
        check(metadata)  # else the stream alone tells
    if options.decoder not in (None, decoder.key):
        raise BadSetting(f"{options.model} is a model of {decoder.key}. Leave --decoder out.")
    return decoder, check


def _made(
    options: argparse.Namespace, session: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[Decoder, Check]:
    """A new decoder, which has learned if it can."""
    decoder = make_decoder(options.decoder, metadata["frequency_hz"], dict(options.settings))
    decoder.recording = metadata["dataset"]
    facts = metadata["dataset"], metadata["sha256"], metadata["num_channels"]
    trained, check = Trained(*facts, decoder.bin_rate, ()), _welcome
    if decoder.learned:
        trained = _train(options, decoder, session)
        check = partial(_check, trained)
    if options.save:
        save(options.save, decoder, trained)
    return decoder, check


def _tell_epoch(key: str, done: int, most: int) -> None:
    print(f"{key} learns: epoch {done} of at most {most}", flush=True)


def _train(options: argparse.Namespace, decoder: Decoder, session: Mapping[str, Any]) -> Trained:
    """Fit the decoder; returns what it has learned from."""
    bins = Bins.from_npz(_content(options.bins) if options.bins else _recorded(options, session))
    print(f"{decoder.key} learns from {len(bins.trials)} trials ({len(bins.counts)} bins)", flush=True)
    decoder.epoch_done = partial(_tell_epoch, decoder.key)
    began = time.perf_counter()
    bins.teach(decoder)
    print(
        f"{decoder.key} has learned from {len(bins.trials)} trials of {bins.recording} "
        f"in {time.perf_counter() - began:.2f} s"
        + "".join(f", {each.name}={each.value:g} chosen" for each in decoder.choices),
        flush=True,
    )
    n_units = bins.counts.shape[1]
    return Trained(bins.recording, bins.sha256, n_units, decoder.bin_rate, bins.trials)


def _recorded(options: argparse.Namespace, session: Mapping[str, Any]) -> bytes:
    """Bins of the recording's trials that are to be learned from; of electrodes, what is found there."""
    named = {"recording": session["recording"]}
    trials = options.train
    if trials is None:
        known = json.loads(_fetch(options, "/api/trials", named))["trials"]
        trials = learned_from([trial["trial_id"] for trial in known])
    query = {"trial_ids": ",".join(map(str, trials))}
    if session["electrodes"] is not None:
        return _awaited(options, f"{_path_of(session)}/bins.npz", query)
    return _fetch(options, "/api/recording/bins.npz", {**named, **query})


def _awaited(options: argparse.Namespace, path: str, query: Mapping[str, str]) -> bytes:
    """Fetch what the server may have to make, and say meanwhile what it says."""
    told = ""
    while True:
        try:
            return _fetch(options, path, query)
        except Unreachable as refusal:
            error = refusal.__cause__
            if not isinstance(error, HTTPClientError) or error.code != NOT_YET or error.response is None:
                raise
            if (said := refusal_in(error)) != told:
                told = said
                print(said, flush=True)
            time.sleep(int(error.response.headers["Retry-After"]))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}. Name a file of bins.") from None


def _welcome(_: Mapping[str, Any]) -> None:
    """Take any stream: who has learned nothing fits all."""


def _check(trained: Trained, metadata: Mapping[str, Any]) -> None:
    """Refuse a stream of another recording; a live one may be of any that has its units and rate."""
    sha256 = trained.sha256 if metadata["sha256"] is None else metadata["sha256"]
    trained.check(metadata["dataset"], sha256, metadata["num_channels"], metadata["frequency_hz"])


def _session(options: argparse.Namespace) -> dict[str, Any]:
    """The session of this code, which is made if there is none."""
    asked = {"custom_code": options.session}
    if options.source is not None:
        asked["source"] = options.source
    made = json.loads(_fetch(options, "/api/sessions", body=asked))
    found: dict[str, Any] = json.loads(_fetch(options, _path_of(made)))
    return found


def _path_of(session: Mapping[str, Any]) -> str:
    return f"/api/sessions/{quote(session['session_code'], safe='')}"


def _fetch(
    options: argparse.Namespace,
    path: str,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> bytes:
    """Ask by REST; with a body it is a POST.

    Raises
    ------
    Unreachable
    """

    async def fetch() -> bytes:
        client = AsyncHTTPClient(force_instance=True, max_body_size=LARGEST, max_buffer_size=LARGEST)
        try:
            answer = await client.fetch(
                f"{http_of(options.url)}{path}?{urlencode(query or {})}",
                headers=credentials(options.token),
                method="GET" if body is None else "POST",
                body=None if body is None else json.dumps(body),
                connect_timeout=ANSWER_WITHIN,
                request_timeout=FETCH_WITHIN,
                ssl_options=trusted(),
            )
        finally:
            client.close()
        return bytes(answer.body)

    try:
        return asyncio.run(fetch())
    except (OSError, HTTPClientError) as error:
        raise unreachable(options.url, error) from error


def _trials(text: str) -> list[int]:
    ids: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part.strip())
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise argparse.ArgumentTypeError(f"{text!r} is no list of trials such as 0-599 or 1,4,9")
        ids += range(int(match[1]), int(match[2] or match[1]) + 1)
    return ids


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    try:
        if not equals:
            raise ValueError
        return name, float(value) if re.search(r"[.eE]", value) else int(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER") from None
