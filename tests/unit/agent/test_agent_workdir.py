"""A project's folders."""

import os
import uuid
from pathlib import Path

import pytest

from agent.workdir import NOTES_FILE, NOTES_LIMIT, Workdir, Workdirs, changed_files


@pytest.fixture
async def workdir(tmp_path: Path) -> Workdir:
    return await Workdirs(tmp_path).prepare(uuid.UUID(int=1))


async def test_the_agents_files_lie_apart_from_the_clis(workdir: Workdir) -> None:
    folders = (workdir.project, workdir.config, workdir.temp)
    assert all(folder.is_dir() for folder in folders)
    assert not any(a.is_relative_to(b) for a in folders for b in folders if a != b)


async def test_preparing_again_keeps_what_is_there(workdir: Workdir, tmp_path: Path) -> None:
    (workdir.project / "x.md").write_text("x")
    again = await Workdirs(tmp_path).prepare(uuid.UUID(int=1))
    assert (again.project / "x.md").read_text() == "x"


async def test_changed_files_are_new_different_or_gone(workdir: Workdir) -> None:
    for name in ("same.md", "different.md", "gone.md"):
        (workdir.project / name).write_text("before")
    before = await workdir.fingerprint()
    (workdir.project / "different.md").write_text("afterwards")
    (workdir.project / "gone.md").unlink()
    (workdir.project / "sub").mkdir()
    (workdir.project / "sub" / "new.md").write_text("new")
    assert changed_files(before, await workdir.fingerprint()) == ("different.md", "gone.md", "sub/new.md")


async def test_folders_that_tools_fill_are_not_counted(workdir: Workdir) -> None:
    (workdir.project / ".git").mkdir()
    (workdir.project / ".git" / "HEAD").write_text("x")
    assert await workdir.fingerprint() == {}


async def test_a_link_is_compared_and_not_followed(workdir: Workdir, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "big.bin").write_text("x")
    (workdir.project / "door").symlink_to(outside)
    (workdir.project / "dangling").symlink_to("nowhere")
    assert set(await workdir.fingerprint()) == {"dangling"}


async def test_notes_are_read_up_to_their_limit(workdir: Workdir) -> None:
    assert await workdir.notes() == ""
    (workdir.project / NOTES_FILE).write_text("é" * (NOTES_LIMIT + 5))
    assert await workdir.notes() == "é" * NOTES_LIMIT


async def test_notes_do_not_follow_a_link(workdir: Workdir, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (workdir.project / NOTES_FILE).symlink_to(tmp_path / "secret")
    assert await workdir.notes() == ""


async def test_notes_that_are_no_file_are_none(workdir: Workdir) -> None:
    (workdir.project / NOTES_FILE).mkdir()
    assert await workdir.notes() == ""


async def test_a_pipe_in_place_of_the_notes_does_not_keep_anybody_waiting(workdir: Workdir) -> None:
    os.mkfifo(workdir.project / NOTES_FILE)
    assert await workdir.notes() == ""


async def test_notes_that_are_no_text_do_not_break_the_prompt(workdir: Workdir) -> None:
    (workdir.project / NOTES_FILE).write_bytes(b"caf\xe9")
    assert await workdir.notes() == "caf\ufffd"
