"""``serve.py finish``: makes the NWB file of a journal that a server left which was killed."""

from __future__ import annotations

from collections.abc import Sequence

from engine.files.sealed import KEY
from engine.sinks.record.__main__ import main as work_on_record
from engine.sinks.record.journal import ENDING
from sessions.settings import Parser


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status: 0 when there is a file, 1 if it cannot be made."""
    parser = Parser(
        "serve.py finish",
        description="Make the file of a record whose server was killed, and print its name. The server "
        "does so too at its next start.",
        epilog=f"The passphrase of an encrypted record is taken from {KEY}.",
        allow_abbrev=False,
    )
    parser.add_argument("journal", metavar="JOURNAL", help=f"file of the folder of records, *{ENDING}")
    return work_on_record(["finish", parser.parse_args(arguments).journal])
