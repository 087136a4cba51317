"""What is in a package, and that the same plugin is the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.distribution.adding import Allowed, Offer, add_offers
from mcp_server.distribution.fetching import read_archive
from mcp_server.distribution.package import package_of
from mcp_server.distribution.signing import Trust
from mcp_server.errors import ManifestError
from mcp_server.registry.archive import archive_of
from mcp_server.registry.errors import BundleInvalid
from mcp_server.registry.installed import InstalledPlugins
from tests.distribution.commands import answer, run
from tests.distribution.making import plugin
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.parent.name for path in (ROOT / "manifests").glob("*/plugin.toml"))


@requirement("share:package")
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_packs_into_a_bundle_that_says_the_same_as_its_folder(name: str, home: Path) -> None:
    packed = package_of(ROOT / "manifests" / name, [ROOT / "plugins"])
    installed = InstalledPlugins(home)
    added = add_offers(installed, [Offer(read_archive(packed.archive()), "here", "here")], Allowed(Trust()))[0]
    assert added.origin.sha256 == hashlib.sha256(packed.archive()).hexdigest()
    written = tomllib.loads((ROOT / "manifests" / name / "plugin.toml").read_text())
    kept = tomllib.loads((installed.folder / name / "plugin.toml").read_text())
    for tool, old in zip(kept.get("tools", ()), written.get("tools", ()), strict=True):
        for key in ("input_schema", "output_schema"):
            if isinstance(old.get(key), str):
                text = (installed.folder / name / tool[key]).read_bytes()
                assert text == (ROOT / "manifests" / name / old[key]).read_bytes()
            else:
                assert tool.get(key) == old.get(key)


@requirement("share:package")
def test_two_packages_of_one_plugin_are_the_same_bytes_whenever_and_from_wherever(home: Path, stock: Path) -> None:
    first = plugin(stock / "here", "twice", more='[config]\nkey = "value"')
    (first / "README.md").write_text("# Twice\n")
    (first / "LICENSE").write_text("Apache-2.0\n")
    other = plugin(stock / "there", "twice", more='[config]\nkey = "value"')
    for name in ("LICENSE", "README.md"):  # made in another order, at another time, with other rights
        (other / name).write_bytes((first / name).read_bytes())
        os.utime(other / name, (1, 1))
        (other / name).chmod(0o600)
    one, two = stock / "one.zip", stock / "two.zip"
    made = answer(home, "package", first, "--output", one)
    assert run(home, "package", other, "--output", two, "--quiet").stdout == ""
    assert one.read_bytes() == two.read_bytes()
    assert made["sha256"] == hashlib.sha256(one.read_bytes()).hexdigest()
    assert made["files"] == [
        "LICENSE",
        "README.md",
        "SHA256SUMS.txt",
        "plugin.toml",
        "sbom.cdx.json",
        "twice.wasm",
    ]


@requirement("share:package")
@given(st.dictionaries(st.from_regex(r"[a-z]{1,9}\.json", fullmatch=True), st.binary(max_size=99)))
def test_the_order_in_which_files_come_does_not_show(files: dict[str, bytes]) -> None:
    assert archive_of(files) == archive_of(dict(reversed(list(files.items()))))


@requirement("share:package")
def test_paths_into_other_folders_become_flat_and_the_rest_of_the_manifest_stays(stock: Path) -> None:
    folder = plugin(
        stock,
        "deep",
        header='wasm = "build/out.wasm" # where the compiler puts it',
        more='[[tools]]\nfunction = "echo"\ninput_schema = "a/in.json"\noutput_schema = "b/in.json"',
    )
    (folder / "deep.wasm").rename(folder / "out.wasm")
    for place, text in (("a", '{"type": "object"}'), ("b", '{"type": "object", "title": "b"}')):
        (folder / place).mkdir()
        (folder / place / "in.json").write_text(text)
    (folder / "build").mkdir()
    (folder / "out.wasm").rename(folder / "build" / "out.wasm")
    files = package_of(folder).files
    assert files["plugin.toml"].decode() == (folder / "plugin.toml").read_text().replace(
        "build/out.wasm", "deep.wasm"
    ).replace("a/in.json", "in.json").replace("b/in.json", "b-in.json")
    assert json.loads(files["b-in.json"])["title"] == "b"


@requirement("share:package")
def test_the_bill_of_materials_names_each_file_and_each_crate(stock: Path) -> None:
    folder = plugin(stock, "crated")
    (folder / "Cargo.lock").write_text(
        'version = 4\n[[package]]\nname = "serde"\nversion = "1.0.0"\nchecksum = "ab"\n'
        '[[package]]\nname = "crated"\nversion = "0.1.0"\n'
    )
    files = package_of(folder).files
    bill = json.loads(files["sbom.cdx.json"])
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    found = {one["bom-ref"]: one for one in bill["components"]}
    wasm = hashlib.sha256(files["crated.wasm"]).hexdigest()
    assert found["file:crated.wasm"]["hashes"] == [{"alg": "SHA-256", "content": wasm}]
    assert found["pkg:cargo/serde@1.0.0"]["purl"] == "pkg:cargo/serde@1.0.0"
    assert "file:plugin.toml" in found
    (folder / "sbom.cdx.json").write_text('{"bomFormat": "CycloneDX", "specVersion": "1.5"}')
    assert package_of(folder).files["sbom.cdx.json"] == (folder / "sbom.cdx.json").read_bytes()


@requirement("share:package")
def test_the_list_of_files_is_one_that_sha256sum_checks(home: Path, stock: Path) -> None:
    made = answer(home, "package", plugin(stock, "listed"), "--output", stock)
    with zipfile.ZipFile(made["path"]) as opened:
        opened.extractall(stock / "out")
    checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS.txt"], cwd=stock / "out", check=False)
    assert checked.returncode == 0


@requirement("share:package")
def test_a_manifest_that_lies_about_its_module_is_not_packed(stock: Path) -> None:
    folder = plugin(stock, "liar", more='[[tools]]\nfunction = "no_such_export"')
    with pytest.raises(ManifestError, match="no callable export 'no_such_export'"):
        package_of(folder)


@requirement("share:package")
def test_more_files_than_a_bundle_has_are_refused(stock: Path) -> None:
    tools = ""
    folder = plugin(stock, "many")
    for number in range(70):
        (folder / f"{number}.json").write_text('{"type": "object"}')
        tools += f'[[tools]]\nname = "t{number}"\nfunction = "echo"\ninput_schema = "{number}.json"\n'
    plugin(stock, "many", more=tools)
    with pytest.raises(BundleInvalid, match="more than 64 files"):
        package_of(folder)
