"""The services of GitHub that workflows reach, on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.github import artifact_service, release_service
from tests.github.artifact_service import ArtifactService
from tests.github.release_service import ReleaseService


@pytest.fixture
def artifacts() -> Iterator[ArtifactService]:
    with artifact_service.running() as service:
        yield service


@pytest.fixture
def releases() -> Iterator[ReleaseService]:
    with release_service.running() as service:
        yield service
