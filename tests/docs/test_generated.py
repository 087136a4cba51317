"""What ``docs/generate.py`` writes is up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]


@requirement("docs:generated")
def test_the_generated_pages_are_up_to_date() -> None:
    result = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
