"""Which skills a session gets."""

import json
from pathlib import Path

import pytest

from agent import skills


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in ("charts", "pipelines"):
        folder = tmp_path / "source" / name
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(f"---\nname: {name}\n---\n")
    (tmp_path / "source" / "charts" / "palette.md").write_text("blue")
    (tmp_path / "source" / "no-skill").mkdir()
    return tmp_path / "source"


async def test_without_a_choice_all_skills_are_enabled(source: Path, tmp_path: Path) -> None:
    plugin = await skills.assemble(source=source, target=tmp_path / "plugin", enabled=None)
    assert sorted(path.name for path in (plugin / "skills").iterdir()) == ["charts", "pipelines"]
    assert (plugin / "skills" / "charts" / "palette.md").read_text() == "blue"
    manifest = json.loads((plugin / ".claude-plugin" / "plugin.json").read_text())
    assert manifest["name"] == skills.PLUGIN_NAME


async def test_only_the_enabled_skills_are_there(source: Path, tmp_path: Path) -> None:
    await skills.assemble(source=source, target=tmp_path / "plugin", enabled=None)
    plugin = await skills.assemble(source=source, target=tmp_path / "plugin", enabled=["pipelines"])
    assert [path.name for path in (plugin / "skills").iterdir()] == ["pipelines"]


async def test_no_skills_are_a_plugin_too(source: Path, tmp_path: Path) -> None:
    plugin = await skills.assemble(source=source, target=tmp_path / "plugin", enabled=[])
    assert (plugin / ".claude-plugin" / "plugin.json").exists()


@pytest.mark.parametrize("name", ["chart", "no-skill", "../source/charts", ""])
async def test_an_unknown_name_is_refused_with_the_known_ones(
    source: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(skills.UnknownSkillError, match="Available: charts, pipelines") as refused:
        await skills.assemble(source=source, target=tmp_path / "plugin", enabled=[name])
    assert repr(name) in str(refused.value)
