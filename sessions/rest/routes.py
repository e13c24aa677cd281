"""The table of REST calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.errors import (
    BadModel,
    BadPrediction,
    BadSetting,
    CannotFit,
    DeckError,
    EmptySelection,
    Leak,
    NotNow,
    OutsideSelection,
    RecordingError,
    UnknownTarget,
    UnknownTrial,
)
from sessions.refusals import (
    BadCode,
    Busy,
    Conflict,
    Full,
    NoRecords,
    NotDrawn,
    RecordFailed,
    TooMany,
    UnknownCalibration,
    UnknownDecoder,
    UnknownLink,
    UnknownRecord,
    UnknownRecording,
    UnknownRun,
    UnknownSession,
)
from sessions.rest import (
    calibrating,
    decoding,
    electrodes,
    front,
    guarding,
    guiding,
    launching,
    learning,
    library,
    lifecycle,
    links,
    many,
    metrics,
    pictures,
    polling,
    records,
    report,
    running,
    scoring,
    steering,
    transport,
    viewing,
)
from sessions.rest.requests import CreateQuery, PredictionQuery, SeekQuery
from sessions.rest.route import Call, Method, Route

SESSION = (UnknownSession,)
RECORDING = (UnknownRecording, RecordingError)
PLAYING = (UnknownSession, NotNow)
SELECTING = (UnknownTrial, UnknownTarget, EmptySelection)

HOME = Route("GET", "/", front.show_home, other="text/html")
"""On the stream port alone: on the other one the dashboard has this address."""

CREATE = Route(
    "POST",
    "/api/sessions/create",
    lifecycle.create_session,
    (*RECORDING, *SELECTING, Conflict, BadCode, BadSetting, Full),
    blocking=True,
    in_query=CreateQuery,
)


def _get(path: str, call: Call, *refuses: type[DeckError]) -> Route:
    return Route("GET", path, call, refuses)


def _slow(method: Method, path: str, call: Call, *refuses: type[DeckError]) -> Route:
    return Route(method, path, call, refuses, blocking=True)


def _file(path: str, call: Call, content_type: str, *refuses: type[DeckError]) -> Route:
    return Route("GET", path, call, refuses, blocking=True, other=content_type)


def _control(action: str, call: Call) -> Route:
    return Route("POST", f"/api/control/{{code}}/{action}", call, PLAYING)


def _setting(name: str, show: Call, change: Call, *refuses: type[DeckError]) -> tuple[Route, Route]:
    path = f"/api/sessions/{{code}}/{name}"
    return _get(path, show, *SESSION), _slow("PUT", path, change, *SESSION, *refuses)


def _source_setting(name: str, show: Call, change: Call, *refuses: type[DeckError]) -> tuple[Route, Route]:
    """Of sessions whose source has it alone."""
    path = f"/api/sessions/{{code}}/{name}"
    return _get(path, show, *PLAYING), _slow("PUT", path, change, *PLAYING, *refuses)


def _of_recording(path: str, call: Call, *refuses: type[DeckError]) -> Route:
    """A recording is read when it is first asked for."""
    return _slow("GET", path, call, *RECORDING, *refuses)


def _bins(ending: str, call: Call, content_type: str) -> Route:
    refuses = (*RECORDING, UnknownTrial, EmptySelection, Busy)
    return _file(f"/api/recording/bins.{ending}", call, content_type, *refuses)


def _session_bins() -> Route:
    refuses = (*PLAYING, *RECORDING, UnknownTrial, EmptySelection, Busy)
    return _file("/api/sessions/{code}/bins.npz", learning.show_session_bins, library.NPZ, *refuses)


def _picture(name: str, call: Call, content_type: str) -> Route:
    return _file(f"/api/sessions/{{code}}/{name}", call, content_type, *SESSION, Busy, NotDrawn)


def _record(ending: str, call: Call, content_type: str) -> Route:
    path = f"/api/records/{{name}}.{ending}"
    return _file(path, call, content_type, UnknownRecord, NotNow, Busy, RecordFailed, NoRecords)


def _result(name: str, call: Call, content_type: str, *refuses: type[DeckError]) -> Route:
    path = f"/api/calibrations/{{calibration}}/{name}"
    return _file(path, call, content_type, UnknownCalibration, NotNow, *refuses)


GROUPS: Mapping[str, tuple[Route, ...]] = {
    "Server": (
        HOME,
        _get("/health", metrics.show_health),
        _file("/docs", front.show_docs, "text/html"),
        _get("/openapi.json", front.show_openapi),
    ),
    "Sessions": (
        CREATE,
        replace(CREATE, path="/api/sessions"),
        _slow("GET", "/api/sessions", lifecycle.list_sessions),
        _slow(
            "POST",
            "/api/sessions/many",
            many.create_many,
            *(*RECORDING, *SELECTING, Conflict, BadCode, BadSetting, NotNow, Full, TooMany),
        ),
        _slow("POST", "/api/sessions/cleanup", lifecycle.clean_up),
        _get("/api/sessions/{code}", lifecycle.show_session, *SESSION),
        _slow("DELETE", "/api/sessions/{code}", lifecycle.delete_session, *SESSION, Conflict),
    ),
    "Links that can only look": (
        Route("POST", "/api/links", links.make_link, (*SESSION, TooMany)),
        _get("/api/links", links.list_links),
        Route("DELETE", "/api/links/{link}", links.revoke_link, (UnknownLink,)),
    ),
    "Control": (
        _control("pause", transport.pause),
        _control("resume", transport.resume),
        _control("stop", transport.stop),
        _control("step", transport.step),
        _slow("POST", "/api/control/{code}/restart", transport.restart, *PLAYING),
        Route(
            "POST",
            "/api/control/{code}/seek",
            transport.seek,
            (*PLAYING, OutsideSelection, UnknownTrial),
            blocking=True,
            in_query=SeekQuery,
        ),
        _get("/api/control/{code}/position", transport.show_position, *SESSION),
    ),
    "Settings of a session": (
        *_setting("selection", transport.show_selection, transport.set_selection, *SELECTING),
        *_setting("speed", transport.show_speed, transport.set_speed, BadSetting),
        *_setting("loop", transport.show_loop, transport.set_loop),
        *_setting("perturbation", transport.show_perturbation, transport.set_perturbation, BadSetting),
        *_setting("timetable", transport.show_timetable, transport.set_timetable, BadSetting),
        *_source_setting("driver", steering.show_driver, steering.set_driver),
        *_source_setting("steering", steering.show_steering, steering.set_steering, BadSetting),
        *_source_setting("electrodes", electrodes.show_electrodes, electrodes.set_electrodes, BadSetting),
        *_source_setting("detection", electrodes.show_detection, electrodes.set_detection, BadSetting),
        _slow("GET", "/api/sessions/{code}/features", electrodes.show_features, *PLAYING),
        *_setting("view", viewing.show_view, viewing.set_view, BadSetting),
    ),
    "Predictions and scores": (
        _get("/api/sessions/{code}/scores", scoring.show_scores, *SESSION),
        _slow("GET", "/api/sessions/{code}/comparison", scoring.show_comparison, *SESSION),
        _get("/api/sessions/{code}/predictions", scoring.show_sources, *SESSION),
        _get(
            "/api/sessions/{code}/bins",
            polling.wait_bins,
            *(*PLAYING, BadPrediction, BadSetting, Busy),
        ),
        Route(
            "POST",
            "/api/sessions/{code}/predictions",
            polling.take_prediction,
            (*PLAYING, Conflict, BadPrediction, TooMany),
            in_query=PredictionQuery,
        ),
        _slow("DELETE", "/api/sessions/{code}/predictions", scoring.remove_sources, *SESSION),
    ),
    "Decoders that the server starts": (
        _get("/api/sessions/{code}/decoders", launching.list_decoders, *SESSION),
        _slow(
            "POST",
            "/api/sessions/{code}/decoders",
            launching.start_decoder,
            *(*PLAYING, BadSetting, Conflict, Busy),
        ),
        _slow(
            "DELETE",
            "/api/sessions/{code}/decoders/{name}",
            launching.stop_decoder,
            *(*SESSION, UnknownDecoder),
        ),
        _file(
            "/api/sessions/{code}/decoders/{name}/log",
            launching.get_log,
            launching.PLAIN,
            *(*PLAYING, UnknownDecoder),
        ),
    ),
    "Decoding in the server": (
        _slow(
            "POST",
            "/decode",
            decoding.decode_now,
            *(*PLAYING, *RECORDING, UnknownCalibration, BadModel, BadSetting, CannotFit, Busy),
        ),
    ),
    "Calibration in closed loop": (
        _get("/api/sessions/{code}/calibration", guiding.show_guided, *PLAYING),
        _slow(
            "POST",
            "/api/sessions/{code}/calibration",
            guiding.start_guided,
            *(*PLAYING, BadSetting, Conflict),
        ),
        _slow("DELETE", "/api/sessions/{code}/calibration", guiding.cancel_guided, *PLAYING),
    ),
    "Drift and safety": (
        _get("/api/sessions/{code}/drift", guarding.show_drift, *SESSION),
        Route("POST", "/api/sessions/{code}/drift/reference", guarding.set_reference, SESSION),
        *_setting("safety", guarding.show_safety, guarding.set_safety, BadSetting),
        Route("POST", "/api/sessions/{code}/emergency-stop", guarding.emergency_stop, SESSION),
        Route("POST", "/api/sessions/{code}/emergency-stop/release", guarding.release_stop, SESSION),
    ),
    "Recordings and trials": (
        _get("/api/recordings", library.list_recordings),
        _of_recording("/api/metadata", library.show_metadata),
        _of_recording("/api/trials", library.list_trials),
        _of_recording("/api/trials/{trial_id}", library.show_trial, UnknownTrial),
        _of_recording("/api/trials/by-target/{target_id}", library.list_trials_of_target, UnknownTarget),
        _bins("npz", library.show_bins, library.NPZ),
        _bins("mat", library.show_matlab_bins, library.MAT),
        _bins("nwb", library.show_nwb_bins, library.NWB),
        _session_bins(),
    ),
    "Pictures": (
        _picture("snapshot.png", pictures.show_png, "image/png"),
        _picture("snapshot.svg", pictures.show_svg, "image/svg+xml"),
        _picture("snapshot.pdf", pictures.show_pdf, "application/pdf"),
        _picture("report.html", report.show_report, "text/html"),
    ),
    "Records": (
        _slow(
            "POST",
            "/api/sessions/{code}/record",
            records.start_record,
            *(*SESSION, BadSetting, Conflict, NotNow, NoRecords),
        ),
        _get("/api/sessions/{code}/record", records.show_record, *SESSION),
        _slow("DELETE", "/api/sessions/{code}/record", records.stop_record, *SESSION),
        _slow("GET", "/api/records", records.list_records, NoRecords),
        _record("nwb", records.get_nwb, "application/x-hdf5"),
        _record("csv", records.get_csv, "text/csv"),
        _record("npz", records.get_npz, "application/zip"),
    ),
    "Runs": (
        _slow("GET", "/api/runs", running.list_runs, NoRecords),
        _file("/api/runs.csv", running.get_csv, "text/csv", NoRecords),
        _slow("POST", "/api/sessions/{code}/runs", running.keep_runs, *SESSION, NoRecords),
        _slow("GET", "/api/runs/{run}", running.show_run, UnknownRun, NoRecords),
        _slow("PUT", "/api/runs/{run}", running.annotate_run, UnknownRun, NoRecords),
        _slow("DELETE", "/api/runs/{run}", running.delete_run, UnknownRun, NoRecords),
    ),
    "Calibrations": (
        _slow(
            "POST",
            "/api/calibrations",
            calibrating.start_calibration,
            *(
                *SESSION,
                *RECORDING,
                UnknownTrial,
                BadSetting,
                EmptySelection,
                CannotFit,
                Leak,
                Busy,
                NotNow,
            ),
        ),
        _get("/api/calibrations", calibrating.list_calibrations, NotNow),
        _get("/api/calibrations/{calibration}", calibrating.show_calibration, UnknownCalibration, NotNow),
        _result("model.npz", calibrating.get_model, library.NPZ),
        _result("table.csv", calibrating.get_table, "text/csv"),
        _result("figure.png", calibrating.get_png, "image/png", Busy, NotDrawn),
        _result("figure.svg", calibrating.get_svg, "image/svg+xml", Busy, NotDrawn),
        Route(
            "DELETE",
            "/api/calibrations/{calibration}",
            calibrating.delete_calibration,
            (UnknownCalibration, NotNow),
        ),
    ),
    "Measurements": (
        _get("/api/stats", metrics.show_totals),
        _get("/api/sessions/{code}/events", transport.show_events, *SESSION),
        _get("/api/stats/{code}", metrics.show_stats, *SESSION),
        _file("/metrics", metrics.show_metrics, "text/plain"),
    ),
}
"""All calls, under headings."""

ROUTES: tuple[Route, ...] = tuple(route for routes in GROUPS.values() for route in routes)
