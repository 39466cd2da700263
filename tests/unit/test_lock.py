"""Who has a lane's state folder keeps others out. The lock is on an open file: another one stands for a process."""

import os

import pytest

from edge.core.errors import LaneInUse, LedgerRefused
from edge.records.lock import held


def test_the_second_is_refused_and_told_by_whom(tmp_path):
    folder = tmp_path / "state"
    with (
        held(folder),
        pytest.raises(LaneInUse, match=rf"in use by process {os.getpid()} since 20.*: stop that"),
        held(folder),
    ):
        pytest.fail("two have it")
    with held(folder):
        pass


def test_what_a_killed_one_left_is_no_lock(tmp_path):
    (tmp_path / "lock").write_text("process 1 since long ago\n")
    with held(tmp_path):
        assert "since long ago" not in (tmp_path / "lock").read_text()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(LedgerRefused, match=r"cannot be written \(Not a directory\): make room"),
        held(tmp_path / "file" / "state"),
    ):
        pytest.fail("made")
