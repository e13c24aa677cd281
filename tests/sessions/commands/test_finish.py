"""`serve.py finish`; what it makes is tested with the records."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessions.commands.finish import main


def test_help_says_what_it_wants(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "usage: serve.py finish [-h] JOURNAL" in said
    assert "PHANTOM_RECORD_KEY" in said


def test_no_journal_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_journal_that_is_not_there_is_one_line_and_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.journal")]) == 1
    assert capsys.readouterr().err == "none.journal: No such file or directory.\n"
