"""Predictions from the lab network: LSL streams of x, y, vx, vy, with sequence numbers or time stamps."""

from __future__ import annotations

import logging
import math
import threading
from contextlib import suppress
from typing import Final

import pylsl
from pylsl.util import LostError

from engine.answers.prediction import AXES, CHANNELS, checked_values
from engine.answers.predictions import Predictions
from engine.bins import clock
from engine.errors import BadPrediction
from engine.lsl import LOOK_FOR, found

log = logging.getLogger(__name__)

CLOSED_WITHIN: Final = 1.0
"""Seconds for which `LslInlet.close` waits for the thread."""
WAIT: Final = 0.2
"""Seconds for which it waits for a sample."""
BUFFERED_SECONDS: Final = 10
CORRECTED_WITHIN: Final = 2.0
"""Seconds that it may take to compare the sender's clock with ours."""


class LslInlet:
    """Listens to a stream of predictions by its name, in a thread of its own.

    The channels are x, y, vx, vy and sequence_number, in this order, in any number format; NaN where a
    decoder predicts none. Numbers beyond 2^24 need ``double64``. Without the last of them, a prediction
    is for the bin whose time stamp it has: that of the sample of counts, as it came or on the sender's
    clock. It counts as received when it is here.

    Parameters
    ----------
    stream : str
        Its name. It may appear later, and again.
    decoder : str
    predictions : Predictions
    """

    def __init__(self, stream: str, decoder: str, predictions: Predictions) -> None:
        self.stream = stream
        self.connected = False
        self.error: str | None = None
        self._decoder = decoder
        self._predictions = predictions
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"inlet {stream}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more, soon: several are told before any is waited for."""
        self._closing.set()

    def close(self, within: float = CLOSED_WITHIN) -> None:
        """Listen no more, and wait so many seconds until that is so. A second call does nothing.

        liblsl's search takes 5 s longer than it should at times, and cannot be cut short: its thread is
        left to itself then, and hears nothing more.
        """
        self.stop()
        if self._thread is not threading.current_thread():
            self._thread.join(within)

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                for info in found(self.stream)[:1]:
                    if self._closing.is_set():
                        break
                    if info.channel_count() in (len(AXES), len(CHANNELS)):
                        self._listen(info)
                    else:
                        self.error = (
                            f"LSL stream {self.stream!r} has {info.channel_count()} channels. "
                            f"Send {len(CHANNELS)}: {', '.join(CHANNELS)}; or the first "
                            f"{len(AXES)}, with the time stamps of the bins."
                        )
                        self._closing.wait(LOOK_FOR)
        except Exception as error:  # whatever it is, it ends this inlet alone, and visibly
            log.exception("The %s has failed", self._thread.name)
            self.error = f"{type(error).__name__}: {error}"
        finally:
            self.connected = False

    def _listen(self, info: pylsl.StreamInfo) -> None:
        """Hand on what comes until the stream has gone or this is closed."""
        inlet = pylsl.StreamInlet(info, max_buflen=BUFFERED_SECONDS, recover=False)
        heard, shift = False, 0.0
        try:
            self.connected, self.error = True, None
            if info.channel_count() == len(AXES):
                with suppress(TimeoutError):  # where it is not known, both clocks are one
                    shift = inlet.time_correction(CORRECTED_WITHIN)
            while not self._closing.is_set():
                sample, stamp = inlet.pull_sample(WAIT)
                if sample is not None:
                    heard = True
                    self._hand_on(sample, stamp, shift)
        except LostError:
            pass  # it may come again
        finally:
            self.connected = False
            if heard:  # an outlet that is going may be found once more
                self._predictions.leave(self._decoder, clock.now())
            inlet.close_stream()

    def _hand_on(self, sample: list[float], stamp: float, shift: float) -> None:
        at = clock.now()
        try:
            number = self._number(sample, stamp, shift)
            given = {name: value for name, value in zip(AXES, sample, strict=False) if value == value}
            self._predictions.receive(self._decoder, number, checked_values(given), at)
        except BadPrediction as refused:
            self.error = str(refused)

    def _number(self, sample: list[float], stamp: float, shift: float) -> int:
        """Of the bin that a sample is for, which it tells, or its time stamp does."""
        if len(sample) == len(AXES):
            try:
                return self._predictions.number_due(stamp)
            except BadPrediction:
                return self._predictions.number_due(stamp + shift)
        number = sample[-1]
        if not math.isfinite(number) or number != int(number):
            raise BadPrediction(f"sequence_number is {number}. Send a packet's, a whole number.")
        return int(number)
