"""The table of REST calls: what serves them, what they take, what they answer and refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel

from engine.errors import (
    BadPrediction,
    BadSetting,
    DeckError,
    EmptySelection,
    Leak,
    NotNow,
    OutsideSelection,
    RecordingError,
    UnknownTarget,
    UnknownTrial,
)
from sessions.errors import (
    BadCode,
    Busy,
    Conflict,
    Full,
    NoRecords,
    NotDrawn,
    RecordFailed,
    UnknownCalibration,
    UnknownDecoder,
    UnknownRecord,
    UnknownRecording,
    UnknownSession,
)
from sessions.rest import (
    calibrating,
    calibration_models,
    front,
    guard_models,
    guarding,
    launching,
    library,
    lifecycle,
    metrics,
    models,
    pictures,
    records,
    report,
    requests,
    score_models,
    scoring,
    transport,
    viewing,
)
from sessions.rest.context import Redirect, Stream, Text

PATH_PARAMETERS = {"code": str, "name": str, "calibration": int, "trial_id": int, "target_id": int}
"""What may stand in braces in a path."""

Call = Callable[..., BaseModel | Text | Stream | Redirect]


@dataclass(frozen=True)
class Route:
    """One call.

    Attributes
    ----------
    method, path : str
    call : function
        Takes a `sessions.rest.context.Context`, the path's parameters, and an instance of `body`, or of
        `query` where there is no body, if that has fields. Its docstring documents the call.
    answer : model
        Of the JSON that it answers.
    query, body : model
        Of what it takes. The fields of a query may stand in the body too.
    refuses : tuple of DeckError classes
    blocking : bool
        Whether it may take long enough to hold up an event loop.
    other : str
        Content type of an answer that is not JSON, if there is one.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    call: Call
    answer: type[BaseModel] | None
    query: type[requests.Ask] = requests.Ask
    body: type[requests.Ask] = requests.Ask
    refuses: tuple[type[DeckError], ...] = ()
    blocking: bool = False
    other: str | None = None


SESSION = (UnknownSession,)
RECORDING = (UnknownRecording, RecordingError)
PLAYING = (UnknownSession, NotNow)
SELECTING = (UnknownTrial, UnknownTarget, EmptySelection)

HOME = Route("GET", "/", front.show_home, models.Home, other="text/html")
"""On the stream port alone: on the other one the dashboard has this address."""

CREATE = Route(
    "POST",
    "/api/sessions/create",
    lifecycle.create_session,
    models.Created,
    query=requests.CreateQuery,
    body=requests.Create,
    refuses=(*RECORDING, *SELECTING, Conflict, BadCode, BadSetting, Full),
    blocking=True,
)


def _get(path: str, call: Call, answer: type[BaseModel] | None, *refuses: type[DeckError]) -> Route:
    return Route("GET", path, call, answer, refuses=refuses)


def _of_recording(path: str, call: Call, answer: type[BaseModel], *refuses: type[DeckError]) -> Route:
    """Blocking, as a recording is read when it is first asked for."""
    refuses = (*RECORDING, *refuses)
    return Route("GET", path, call, answer, query=requests.RecordingQuery, refuses=refuses, blocking=True)


def _control(action: str, call: Call) -> Route:
    return Route("POST", f"/api/control/{{code}}/{action}", call, models.Done, refuses=PLAYING)


def _setting(
    name: str,
    show: Call,
    change: Call,
    answer: type[BaseModel],
    body: type[requests.Ask],
    *refuses: type[DeckError],
) -> tuple[Route, Route]:
    path = f"/api/sessions/{{code}}/{name}"
    return (
        Route("GET", path, show, answer, refuses=SESSION),
        Route("PUT", path, change, answer, body=body, refuses=(*SESSION, *refuses), blocking=True),
    )


def _post(name: str, call: Call, answer: type[BaseModel]) -> Route:
    return Route("POST", f"/api/sessions/{{code}}/{name}", call, answer, refuses=SESSION)


def _picture(
    name: str, call: Call, content_type: str, query: type[requests.Ask] = requests.SnapshotQuery
) -> Route:
    path = f"/api/sessions/{{code}}/{name}"
    refuses = (UnknownSession, Busy, NotDrawn)
    return Route("GET", path, call, None, query=query, refuses=refuses, blocking=True, other=content_type)


def _record(ending: str, call: Call, content_type: str, query: type[requests.Ask] = requests.Ask) -> Route:
    refuses = (UnknownRecord, NotNow, RecordFailed, NoRecords)
    path = f"/api/records/{{name}}.{ending}"
    return Route("GET", path, call, None, query=query, refuses=refuses, blocking=True, other=content_type)


def _result(name: str, call: Call, content_type: str, query: type[requests.Ask] = requests.Ask) -> Route:
    path = f"/api/calibrations/{{calibration}}/{name}"
    drawn = (Busy, NotDrawn) if name.startswith("figure") else ()
    refuses = (UnknownCalibration, NotNow, *drawn)
    return Route("GET", path, call, None, query=query, refuses=refuses, blocking=True, other=content_type)


GROUPS: Mapping[str, tuple[Route, ...]] = {
    "Server": (
        HOME,
        _get("/health", metrics.show_health, models.Health),
        Route("GET", "/docs", front.show_docs, None, other="text/html", blocking=True),
        _get("/openapi.json", front.show_openapi, models.OpenApi),
    ),
    "Sessions": (
        CREATE,
        replace(CREATE, path="/api/sessions"),
        _get("/api/sessions", lifecycle.list_sessions, models.SessionList),
        Route("POST", "/api/sessions/cleanup", lifecycle.clean_up, models.CleanedUp, blocking=True),
        _get("/api/sessions/{code}", lifecycle.show_session, models.SessionView, UnknownSession),
        Route(
            "DELETE",
            "/api/sessions/{code}",
            lifecycle.delete_session,
            models.Deleted,
            query=requests.DeleteQuery,
            refuses=(UnknownSession, Conflict),
            blocking=True,
        ),
    ),
    "Control": (
        _control("pause", transport.pause),
        _control("resume", transport.resume),
        _control("stop", transport.stop),
        _control("step", transport.step),
        Route(
            "POST",
            "/api/control/{code}/seek",
            transport.seek,
            models.Sought,
            query=requests.SeekQuery,
            body=requests.Seek,
            refuses=(*PLAYING, OutsideSelection, UnknownTrial),
            blocking=True,
        ),
        _get(
            "/api/control/{code}/position", transport.show_position, models.PositionAnswer, UnknownSession
        ),
    ),
    "Settings of a session": (
        *_setting(
            "selection",
            transport.show_selection,
            transport.set_selection,
            models.SelectionAnswer,
            requests.SelectionAsk,
            *SELECTING,
        ),
        *_setting(
            "speed",
            transport.show_speed,
            transport.set_speed,
            models.SpeedAnswer,
            requests.SpeedAsk,
            BadSetting,
        ),
        *_setting("loop", transport.show_loop, transport.set_loop, models.LoopAnswer, requests.LoopAsk),
        *_setting(
            "perturbation",
            transport.show_perturbation,
            transport.set_perturbation,
            models.PerturbationAnswer,
            requests.PerturbationAsk,
            BadSetting,
        ),
        *_setting(
            "view", viewing.show_view, viewing.set_view, models.ViewAnswer, requests.ViewAsk, BadSetting
        ),
    ),
    "Predictions and scores": (
        _get("/api/sessions/{code}/scores", scoring.show_scores, score_models.Scores, UnknownSession),
        _get(
            "/api/sessions/{code}/predictions", scoring.show_sources, score_models.Sources, UnknownSession
        ),
        Route(
            "POST",
            "/api/sessions/{code}/predictions",
            scoring.add_source,
            score_models.Sources,
            body=requests.SourceAsk,
            refuses=(*PLAYING, Conflict, BadPrediction),
            blocking=True,
        ),
        Route(
            "DELETE",
            "/api/sessions/{code}/predictions",
            scoring.remove_sources,
            score_models.Sources,
            query=requests.SourceQuery,
            refuses=SESSION,
            blocking=True,
        ),
    ),
    "Decoders that the server starts": (
        _get(
            "/api/sessions/{code}/decoders", launching.list_decoders, models.LaunchedAnswer, UnknownSession
        ),
        Route(
            "POST",
            "/api/sessions/{code}/decoders",
            launching.start_decoder,
            models.LaunchedAnswer,
            body=requests.DecoderAsk,
            refuses=(*PLAYING, BadSetting, Conflict, Busy),
            blocking=True,
        ),
        Route(
            "DELETE",
            "/api/sessions/{code}/decoders/{name}",
            launching.stop_decoder,
            models.LaunchedAnswer,
            refuses=(*SESSION, UnknownDecoder),
            blocking=True,
        ),
    ),
    "Drift and safety": (
        _get("/api/sessions/{code}/drift", guarding.show_drift, guard_models.DriftAnswer, UnknownSession),
        _post("drift/reference", guarding.set_reference, guard_models.DriftAnswer),
        *_setting(
            "safety",
            guarding.show_safety,
            guarding.set_safety,
            guard_models.SafetyAnswer,
            requests.SafetyAsk,
            BadSetting,
        ),
        _post("emergency-stop", guarding.emergency_stop, guard_models.SafetyAnswer),
        _post("emergency-stop/release", guarding.release_stop, guard_models.SafetyAnswer),
    ),
    "Recordings and trials": (
        _get("/api/recordings", library.list_recordings, models.RecordingList),
        _of_recording("/api/metadata", library.show_metadata, models.Metadata),
        _of_recording("/api/trials", library.list_trials, models.Trials),
        _of_recording("/api/trials/{trial_id}", library.show_trial, models.TrialAnswer, UnknownTrial),
        _of_recording(
            "/api/trials/by-target/{target_id}",
            library.list_trials_of_target,
            models.TrialsOfTarget,
            UnknownTarget,
        ),
        Route(
            "GET",
            "/api/recording/bins.npz",
            library.show_bins,
            None,
            query=requests.BinsQuery,
            refuses=(*RECORDING, UnknownTrial, EmptySelection),
            blocking=True,
            other=library.NPZ,
        ),
    ),
    "Pictures": (
        _picture("snapshot.png", pictures.show_png, "image/png"),
        _picture("snapshot.svg", pictures.show_svg, "image/svg+xml"),
        _picture("snapshot.pdf", pictures.show_pdf, "application/pdf"),
        _picture("report.html", report.show_report, "text/html", requests.WindowQuery),
    ),
    "Records": (
        Route(
            "POST",
            "/api/sessions/{code}/record",
            records.start_record,
            models.RecordAnswer,
            body=requests.RecordAsk,
            refuses=(*SESSION, BadSetting, Conflict, NoRecords),
            blocking=True,
        ),
        _get("/api/sessions/{code}/record", records.show_record, models.RecordAnswer, UnknownSession),
        Route(
            "DELETE",
            "/api/sessions/{code}/record",
            records.stop_record,
            models.RecordAnswer,
            refuses=SESSION,
            blocking=True,
        ),
        Route(
            "GET",
            "/api/records",
            records.list_records,
            models.RecordList,
            refuses=(NoRecords,),
            blocking=True,
        ),
        _record("nwb", records.get_nwb, "application/x-hdf5"),
        _record("csv", records.get_csv, "text/csv", requests.TableQuery),
        _record("npz", records.get_npz, "application/zip"),
    ),
    "Calibrations": (
        Route(
            "POST",
            "/api/calibrations",
            calibrating.start_calibration,
            calibration_models.CalibrationAnswer,
            body=calibration_models.CalibrationAsk,
            refuses=(
                *RECORDING,
                UnknownTrial,
                BadSetting,
                EmptySelection,
                Leak,
                Busy,
                NotNow,
            ),
            blocking=True,
        ),
        _get(
            "/api/calibrations", calibrating.list_calibrations, calibration_models.CalibrationList, NotNow
        ),
        _get(
            "/api/calibrations/{calibration}",
            calibrating.show_calibration,
            calibration_models.CalibrationAnswer,
            UnknownCalibration,
            NotNow,
        ),
        _result("model.npz", calibrating.get_model, library.NPZ),
        _result("table.csv", calibrating.get_table, "text/csv"),
        _result("figure.png", calibrating.get_png, "image/png", calibration_models.FigureQuery),
        _result("figure.svg", calibrating.get_svg, "image/svg+xml", calibration_models.FigureQuery),
        Route(
            "DELETE",
            "/api/calibrations/{calibration}",
            calibrating.delete_calibration,
            models.Deleted,
            refuses=(UnknownCalibration, NotNow),
        ),
    ),
    "Measurements": (
        _get("/api/stats", metrics.show_totals, models.Totals),
        _get("/api/sessions/{code}/events", transport.show_events, models.Events, UnknownSession),
        _get("/api/stats/{code}", metrics.show_stats, models.SessionStats, UnknownSession),
        Route(
            "GET",
            "/metrics",
            metrics.show_metrics,
            models.Metrics,
            query=requests.MetricsQuery,
            blocking=True,
            other="text/plain",
        ),
    ),
}
"""All calls, under headings."""

ROUTES: tuple[Route, ...] = tuple(route for routes in GROUPS.values() for route in routes)
