"""What the engine refuses, each with a short code that clients can test for."""


class DeckError(Exception):
    """A refusal in one line: the rule, the value and the way out."""

    code = "refused"
    retry_after: int | None = None
    """Seconds after which it may go, if it may."""


class RecordingError(DeckError):
    """A file cannot be replayed; the message names the file and the fault."""

    code = "bad_recording"


class UnknownTrial(DeckError):
    code = "unknown_trial"


class UnknownTarget(DeckError):
    code = "unknown_target"


class EmptySelection(DeckError):
    code = "empty_selection"


class OutsideSelection(DeckError):
    code = "outside_selection"


class BadSetting(DeckError):
    """A value outside its bounds, or of the wrong kind."""

    code = "bad_setting"


class NotNow(DeckError):
    """The call is right, but not in the present state."""

    code = "not_now"


class NotThere(NotNow):
    """What a session is to play is not there yet, but may come.

    Parameters
    ----------
    message, name : str
        The latter of what is missing.
    """

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


class Occupied(DeckError):
    """There is no room for it now; there will be soon."""

    code = "busy"


class BadPrediction(DeckError):
    """An answer of a decoder that cannot be one."""

    code = "bad_prediction"


class CannotFit(DeckError):
    """A decoder cannot learn from what it was given."""

    code = "cannot_fit"


class DecoderFault(DeckError):
    """Code of somebody's own decoder has failed; if it has raised, the cause is what it raised."""

    code = "decoder_fault"


class BadModel(DeckError):
    """A trained decoder cannot be read, or is another recording's."""

    code = "bad_model"


class Leak(DeckError):
    """A decoder would be tested on what it has learned from."""

    code = "leak"


class BrokerFault(DeckError):
    """A broker cannot be used.

    Parameters
    ----------
    message : str
    lost : int
        Bins that had been handed over and never arrived.
    """

    code = "broker_fault"

    def __init__(self, message: str, lost: int = 0) -> None:
        super().__init__(message)
        self.lost = lost
