"""What the tests of whole training runs share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.tiny_models import learnable


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a model in it that can learn something: `hf/models/tiny`."""
    folder = tmp_path_factory.mktemp("home")
    learnable(folder / "models" / "tiny")
    return folder
