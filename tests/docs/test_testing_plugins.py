"""The example of docs/testing-plugins.md passes as it stands, in a project of its own."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mcp_server import testing
from mcp_server.testing import Plugin, open_plugin_async
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "testing-plugins.md").read_text(encoding="utf-8")


@requirement("testing:real")
def test_the_example_passes_in_a_project_of_its_own(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "manifests" / "hello", tmp_path / "hello")
    for source in ("plugins/hello/hello.wasm", "plugins/hello/README.md"):
        shutil.copy(ROOT / source, tmp_path / "hello")
    files = dict(re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE))
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # or that of a folder above would count
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-W", "error"]
    done = subprocess.run(command, cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{files['test_hello.py'].count('def test_')} passed" in done.stdout


def test_every_option_and_every_name_of_a_plugin_is_on_the_page() -> None:
    options = set(inspect.signature(open_plugin_async).parameters) - {"path"}
    assert options == set(re.findall(r"^\| `(\w+)` \| [^|]+ \| ", PAGE, flags=re.MULTILINE))
    names = {name for name in vars(Plugin) if not name.startswith("_")}
    assert names <= set(re.findall(r"plugin\.(\w+)", PAGE))


def test_what_is_public_is_on_the_page() -> None:
    shown = {name for name in testing.__all__ if not name.startswith("pytest_")}
    values = {"AsyncPlugin", "Example", "HostCall", "LocalModel", "LocalSite", "Plugin", "ToolFacts", "WebRequest"}
    assert {name for name in shown - values - {"load_plugin_fixture"} if not re.search(rf"\b{name}\b", PAGE)} == set()
