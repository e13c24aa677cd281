"""The record of the session and the reference of its units: what is taken, and where it is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.live.controls import Controls, button, flow
from engine.errors import NotNow
from sessions.archive import Archive
from sessions.session import Session

CSV: Final = ("bins", "predictions", "events")


class Recording(Controls):
    """Starts and stops the record, offers its files, and takes a new reference."""

    running = param.Boolean(default=False)
    voltages = param.Boolean(default=False, label="With voltages")
    files = param.List(
        default=[], doc="What the files of the finished record are called, and where they are."
    )

    def __init__(self, session: Session, archive: Archive | None, mount: str) -> None:
        self._archive = archive
        self._mount = mount
        self._button = button("Record", self.toggle, "record")
        self._links = pn.pane.HTML(css_classes=["links"])
        super().__init__(session)

    def read(self) -> dict[str, Any]:
        tape = self.session.tape
        if tape is None:
            return {"running": False, "files": []}
        url = f"{self._mount}/api/records/{quote(tape.name, safe='')}"
        files = [("NWB", f"{url}.nwb")]
        if not tape.encrypted:
            files += [
                ("npz", f"{url}.npz"),
                *((f"CSV, {table}", f"{url}.csv?table={table}") for table in CSV),
            ]
        told = {"running": tape.recording, "files": files if tape.state == "finished" else []}
        return told | ({"voltages": tape.voltages} if tape.recording else {})

    def write(self, changes: Mapping[str, Any]) -> None:
        """Nothing: the button does it, with the voltages that are chosen until then."""

    def toggle(self) -> None:
        """Record, or stop recording.

        Raises
        ------
        NotNow
            If this server keeps no records.
        """
        tape = self.session.tape
        if tape is not None and tape.recording:
            tape.stop()
        elif self._archive is None:
            raise NotNow("This server keeps no records. Start it with serve.py.")
        else:
            self._archive.start(self.session, voltages=self.voltages)
        self.follow()

    def follow(self) -> None:
        super().follow()
        self._button.label = self._label()
        self._links.param.update(object=self._linked(), visible=bool(self.files))

    def view(self) -> Viewable:
        switch = pn.widgets.Switch.from_param(self.param.voltages, disabled=self.param.running)
        return flow(self._button, *((switch,) if self.session.description.sampled else ()), self._links)

    def _label(self) -> str:
        return "Stop recording" if self.running else "Record"

    def _linked(self) -> str:
        return " ".join(f'<a href="{url}" download>{name}</a>' for name, url in self.files)
