"""Layers say "not known" where there is nothing to compare with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surefoot.analysis.assess import assess
from surefoot.readers import read_case_folder
from surefoot.writers.describe import describe

FINDS = "id,longitude,latitude,sigma_m\nF1,46.90,39.90,2\nF2,46.91,39.91,2\n"
ACCIDENTS = "id,longitude,latitude,sigma_m,date\nA1,46.90,39.91,5,2022-01-01\n"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    (tmp_path / "case.toml").write_text('name = "Only the ground"\n', encoding="utf-8")
    (tmp_path / "finds.csv").write_text(FINDS, encoding="utf-8")
    (tmp_path / "accidents.csv").write_text(ACCIDENTS, encoding="utf-8")
    return tmp_path


def test_without_a_map_nothing_is_outside_the_maps_or_on_no_record(case: Path) -> None:
    layers = describe(assess(read_case_folder(case)), version="test", lang="en").layers
    assert np.isnan(layers["finds"].columns["p_unrecorded"]).all()
    assert list(layers["accidents"].columns["outside_records"]) == [None]
