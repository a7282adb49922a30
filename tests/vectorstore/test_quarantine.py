"""Uploaded files wait under their digest, in a folder that goes with the process."""

from __future__ import annotations

import hashlib
import io
import os
import time
from pathlib import Path

import pytest

from vectorstore import quarantine as module
from vectorstore.errors import StoreError
from vectorstore.quarantine import FOLDER, Quarantine


def test_a_file_lies_under_its_digest_until_it_is_released(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    data = os.urandom(3 * 2**20 + 7)  # several chunks
    held, other = quarantine.hold(io.BytesIO(data)), quarantine.hold(io.BytesIO(data))
    assert held.name == hashlib.sha256(data).hexdigest()
    assert held.read_bytes() == data
    quarantine.release(held)
    assert other.read_bytes() == data  # somebody else's copy
    quarantine.close()
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_nobody_else_may_look_in(tmp_path: Path) -> None:
    held = Quarantine(tmp_path).hold(io.BytesIO(b"x"))
    assert (tmp_path / FOLDER).stat().st_mode & 0o077 == 0
    assert held.stat().st_mode & 0o111 == 0


def test_what_a_killed_server_left_goes_and_what_another_holds_stays(tmp_path: Path) -> None:
    left, running = Quarantine(tmp_path), Quarantine(tmp_path)
    held = running.hold(io.BytesIO(b"x"))
    yesterday = time.time() - 25 * 3600
    os.utime(left.folder, (yesterday, yesterday))
    Quarantine(tmp_path)
    assert not left.folder.exists()
    assert held.exists()


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine = Quarantine(tmp_path)

    class Full(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        quarantine.hold(Full())
    assert list(quarantine.folder.iterdir()) == []
    monkeypatch.setattr(module.tempfile, "mkdtemp", lambda **_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(StoreError, match="No space left"):
        quarantine.hold(io.BytesIO(b"x"))
