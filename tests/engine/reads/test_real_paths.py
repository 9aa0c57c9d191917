"""The folders that files really lie in."""

from __future__ import annotations

import os

import pytest

from ckpt_action.engine.reads.real_paths import RealPaths


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_files_lie_where_links_lead(tmp_path):
    root = tmp_path.resolve()
    (root / "there" / "deep").mkdir(parents=True)
    (root / "there" / "deep" / "module.py").touch()
    (root / "folder").symlink_to(root / "there", target_is_directory=True)
    (root / "alone.py").symlink_to(root / "there" / "deep" / "module.py")
    real = RealPaths()
    for asked, lies_in in {
        root / "there" / "deep" / "module.py": root / "there" / "deep",
        root / "folder" / "deep" / "module.py": root / "there" / "deep",
        root / "folder" / "deep" / "not-there.py": root / "there" / "deep",
        root / "alone.py": root / "there" / "deep",
        root / "not-there" / "module.py": root / "not-there",
    }.items():
        assert real.folder_of(str(asked)) == str(lies_in)
