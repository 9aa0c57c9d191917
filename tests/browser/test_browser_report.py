"""The report's page in a browser, on narrow screens."""

from __future__ import annotations

import chromium
import pytest

from tests.report import sample
from tests.report.pictures import Picture, open_pages, pictures

pytestmark = [
    pytest.mark.skipif(bool(chromium.missing()), reason=chromium.missing() or "-"),
    pytest.mark.xdist_group("browser"),
]
WIDTHS = (320, 380, 639)


def test_nothing_is_cut_off_on_a_narrow_screen():
    wanted = [Picture(name=str(width), run=sample.RED, width=width) for width in WIDTHS]
    changed = next(picture for picture in pictures() if picture.run.changes)
    assert open_pages([*wanted, changed]) == [[]] * 4
