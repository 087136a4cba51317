"""Plugins that are sent: what is taken, what is refused, who approves, and that nothing is ever half there."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.registry.bundle import unpack
from mcp_server.registry.errors import BundleInvalid
from tests.admin.conftest import API, ZIP, bundle, make_token, manifest, write_bundle, zipped
from tests.guests import ECHO, module, write_plugin
from tests.http_server import HttpServer, http_server
from tests.requirements import requirement

WASM = module(ECHO)


def fill(folder: Path) -> None:
    write_plugin(folder, "well", WASM)


async def send(client: httpx2.AsyncClient, content: bytes, **query: str) -> httpx2.Response:
    return await client.post(f"{API}/plugins", content=content, headers=ZIP, params=query)


async def state(client: httpx2.AsyncClient, plugin: str) -> dict[str, Any]:
    response = await client.get(f"{API}/plugins/{plugin}")
    assert response.status_code == 200, response.text
    return response.json()


def installed(home: Path) -> dict[str, set[str]]:
    """The files of each installed plugin; and that nothing else lies about."""
    data = home / "data"
    found = {path.name: {file.name for file in path.iterdir()} for path in (data / "plugins").iterdir()}
    bundles = {path.name for path in (data / "bundles").iterdir()}
    assert bundles == {path.resolve().name for path in (data / "plugins").iterdir()}
    return found


# --- what is taken ------------------------------------------------------------------------------------------------


@requirement("api:uploads")
async def test_a_bundle_is_installed_called_replaced_and_removed(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        sent = await send(client, bundle("sent"))
        assert (sent.status_code, sent.json()["state"], sent.json()["installed"]) == (201, "Loaded", True)
        assert (await client.post(f"{API}/plugins/sent/call/echo", json={"a": 1})).json()["structured"] == {"a": 1}
        assert installed(tmp_path) == {"sent": {"plugin.toml", "sent.wasm"}}
        again = await send(client, bundle("sent", "0.2.0"))
        assert (again.status_code, again.json()["version"]) == (201, "0.2.0")
        assert (await send(client, bundle("sent", "0.2.0"))).status_code == 201  # the same once more
        assert installed(tmp_path) == {"sent": {"plugin.toml", "sent.wasm"}}
        assert (await client.delete(f"{API}/plugins/sent")).status_code == 204
        assert installed(tmp_path) == {}
        assert (await client.get(f"{API}/plugins/sent")).status_code == 404
        foreign = await client.delete(f"{API}/plugins/well")
        assert (foreign.status_code, foreign.json()["code"]) == (409, "not_installed")


@requirement("api:uploads")
async def test_a_module_and_its_manifest_are_taken_as_a_form(web: HttpServer) -> None:
    async with web.client() as client:
        files = {"manifest": ("any", manifest("formed")), "module": ("formed.wasm", WASM)}
        sent = await client.post(f"{API}/plugins", files=files)
        assert (sent.status_code, sent.json()["tools"]) == (201, ["formed__echo"])
        one = await client.post(f"{API}/plugins", files={"module": ("formed.wasm", WASM)})
        assert (one.status_code, one.json()["code"]) == (422, "bundle_invalid")
        for name in ("../../x.wasm", "x.toml", ".wasm", "a\\b.wasm", "/etc/x.wasm", f"{'x' * 300}.wasm"):
            files = {"manifest": ("m", manifest("formed")), "module": (name, WASM)}
            assert (await client.post(f"{API}/plugins", files=files)).status_code == 422, name


TOOL = '[[tools]]\nfunction = "echo"\ndescription = "Echoes"\ninput_schema = "schemas/in/echo.json"\n'
SCHEMA = '{"type": "object", "properties": {"a": {"type": "integer"}}}'


def with_listed_folders(files: Mapping[str, bytes | str]) -> bytes:
    """A zip as ``zip -r`` makes it, which lists folders beside the files in them."""
    return zipped({"schemas/": "", "schemas/in/": "", **files})


@requirement("api:uploads")
@pytest.mark.parametrize("form", [zipped, with_listed_folders])
async def test_schemas_may_lie_in_folders_of_the_bundle(
    stage: Path, tmp_path: Path, form: Callable[[Mapping[str, bytes | str]], bytes]
) -> None:
    files = {"plugin.toml": manifest("sent", more=TOOL), "sent.wasm": WASM, "schemas/in/echo.json": SCHEMA}
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        sent = await send(client, form(files))
        assert (sent.status_code, sent.json()["state"]) == (201, "Loaded"), sent.text
        home = (tmp_path / "data" / "plugins" / "sent").resolve()
        assert (home / "schemas" / "in" / "echo.json").stat().st_mode & 0o777 == 0o400
        assert (await client.post(f"{API}/plugins/sent/call/echo", json={"a": 1})).status_code == 200
        refused = await client.post(f"{API}/plugins/sent/call/echo", json={"a": "text"})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_arguments")
        other = {**files, "schemas/in/echo.json": SCHEMA.replace("integer", "string")}
        assert (await send(client, form(other))).status_code == 201
        assert (await client.post(f"{API}/plugins/sent/call/echo", json={"a": "text"})).status_code == 200
        missing = await send(client, form({key: files[key] for key in ("plugin.toml", "sent.wasm")}))
        assert (missing.status_code, missing.json()["code"]) == (422, "manifest_invalid")
        assert (await client.delete(f"{API}/plugins/sent")).status_code == 204
        assert installed(tmp_path) == {}


@requirement("api:uploads")
async def test_of_the_folders_of_a_path_those_are_taken_that_the_manifest_names(stage: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("taken", "linked", "behind"):
        folder = write_bundle(root, name)
        (folder / "plugin.toml").write_text(manifest(name, more=TOOL))
        (folder / "src").mkdir()
        (folder / "src" / "lib.rs").write_text("// what it was made from")
        (folder / "schemas").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "echo.json").write_text(SCHEMA)
    for name in ("taken", "linked"):
        (root / name / "schemas" / "in").mkdir()
    (root / "taken" / "schemas" / "in" / "echo.json").write_text(SCHEMA)
    (root / "linked" / "schemas" / "in" / "echo.json").symlink_to(tmp_path / "secret" / "echo.json")
    (root / "behind" / "schemas" / "in").symlink_to(tmp_path / "secret")
    settings = {"plugin_roots": [str(root)]}
    async with http_server(stage, home=tmp_path, settings=settings) as server, server.client() as client:
        taken = await client.post(f"{API}/plugins", json={"path": str(root / "taken")})
        assert (taken.status_code, taken.json()["state"]) == (201, "Loaded"), taken.text
        for name in ("linked", "behind"):
            refused = await client.post(f"{API}/plugins", json={"path": str(root / name)})
            assert (refused.status_code, refused.json()["code"]) == (422, "bundle_invalid"), refused.text
        assert installed(tmp_path) == {"taken": {"plugin.toml", "taken.wasm", "schemas"}}


@requirement("api:uploads")
async def test_a_path_counts_only_inside_a_folder_that_the_operator_names(stage: Path, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    write_bundle(root, "inside")
    (root / "zipped.zip").write_bytes(bundle("packed"))
    write_bundle(outside, "away")
    (root / "link").symlink_to(outside / "away")
    (write_bundle(root, "linked") / "schema.json").symlink_to("/etc/hostname")
    settings = {"plugin_roots": [str(root)]}
    async with http_server(stage, home=tmp_path, settings=settings) as server, server.client() as client:

        async def register(path: object) -> httpx2.Response:
            return await client.post(f"{API}/plugins", json={"path": str(path)})

        assert (await register(root / "inside")).json()["tools"] == ["inside__echo"]
        assert (await register(root / "zipped.zip")).json()["tools"] == ["packed__echo"]
        texts: set[str] = set()
        for path in (
            outside / "away",
            root / "link",
            root / ".." / "outside" / "away",
            root / "nope",
            "/etc",
            "inside",
        ):
            refused = await register(path)
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_arguments"), path
            texts.add(refused.json()["detail"].partition("is no bundle")[2])
        assert len(texts) == 1  # what is there cannot be told from what is not
        assert (await register(root / "linked")).status_code in (422, 507)
        assert set(installed(tmp_path)) == {"inside", "packed"}


# --- who approves -------------------------------------------------------------------------------------------------


@requirement("api:pending")
async def test_what_a_token_sends_waits_and_the_approved_version_serves_meanwhile(stage: Path, tmp_path: Path) -> None:
    token = make_token(tmp_path, "deployer", "admin:plugins", "tools:call")
    async with http_server(stage, home=tmp_path) as server, server.client(token) as client:
        sent = (await send(client, bundle("sent"))).json()
        assert (sent["state"], sent["approval"], sent["tools"]) == ("Error", "unapproved", [])
        assert (await client.post(f"{API}/plugins/sent/call/echo", json={})).status_code == 404
        approved = await client.post(f"{API}/plugins/sent/approve")
        assert (approved.json()["state"], approved.json()["details"]["approved_by"]) == ("Loaded", "deployer")
        changed = (await send(client, bundle("sent", "0.2.0"))).json()
        assert (changed["version"], changed["approval"], changed["tools"]) == ("0.1.0", "pending", ["sent__echo"])
        assert changed["details"]["changed"] == ["manifest"]
        assert (await client.post(f"{API}/plugins/sent/call/echo", json={})).status_code == 200
        assert (await client.post(f"{API}/plugins/sent/approve")).json()["version"] == "0.2.0"
        at_once = await send(client, bundle("sent", "0.3.0"), approve="true")
        assert (at_once.json()["version"], at_once.json()["approval"]) == ("0.3.0", "approved")


@requirement("api:pending")
async def test_what_was_seen_is_approved_and_nothing_newer(stage: Path, tmp_path: Path) -> None:
    token = make_token(tmp_path, "deployer", "admin:plugins")
    async with http_server(stage, home=tmp_path) as server, server.client(token) as client:
        seen = (await send(client, bundle("sent"))).json()["details"]["digest"]
        newer = (await send(client, bundle("sent", "0.2.0"))).json()["details"]["digest"]
        assert seen != newer
        late = await client.post(f"{API}/plugins/sent/approve", params={"seen": seen})
        assert (late.status_code, late.json()["code"]) == (409, "lifecycle_invalid")
        assert (await client.get(f"{API}/plugins/sent")).json()["approval"] == "unapproved"
        approved = await client.post(f"{API}/plugins/sent/approve", params={"seen": newer})
        assert (approved.status_code, approved.json()["approval"]) == (200, "approved")


@requirement("api:pending")
@pytest.mark.parametrize("mode", ["off", "trust-on-first-use", "required"])
async def test_in_every_mode_a_plugin_that_was_sent_waits_also_after_a_restart(
    stage: Path, tmp_path: Path, mode: str
) -> None:
    arguments = ("--set", f"approval.mode={mode}")
    async with http_server(stage, home=tmp_path, arguments=arguments) as server, server.client() as client:
        assert (await send(client, bundle("sent"), approve="false")).json()["approval"] == "unapproved"
    async with http_server(stage, home=tmp_path, arguments=arguments) as server, server.client() as client:
        assert (await state(client, "sent"))["approval"] == "unapproved"


@requirement("api:pending")
async def test_a_plugin_that_wants_rights_is_installed_held_back_and_runs_once_it_has_them(
    stage: Path, tmp_path: Path
) -> None:
    wants = '[capabilities]\nrequired = ["StorageAccess"]'
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        sent = await send(client, bundle("sent", more=wants))
        assert (sent.status_code, sent.json()["state"]) == (201, "Error")
        assert sent.json()["reason"].startswith("[capability_denied]")
        await client.put(f"{API}/plugins/sent/grants", json={"capabilities": ["StorageAccess"]})
        assert (await client.post(f"{API}/plugins/sent/approve")).json()["state"] == "Loaded"


# --- what is refused ----------------------------------------------------------------------------------------------


def odd_zip(name: str = "sent.wasm", mode: int = 0, flags: int = 0, kind: int = zipfile.ZIP_STORED) -> bytes:
    """A good bundle, whose module's entry says something else about itself."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        archive.writestr("plugin.toml", manifest("sent"))
        entry = zipfile.ZipInfo(name)
        entry.external_attr, entry.compress_type = mode << 16, kind
        archive.writestr(entry, WASM)
    data = out.getvalue()
    if not flags:
        return data
    place = data.rindex(b"PK\x01\x02") + 8
    return data[:place] + struct.pack("<H", flags) + data[place + 2 :]


def twice(first: str, second: str) -> bytes:
    """A zip with two names that are one file on some disks."""
    data = zipped({"plugin.toml": manifest("sent"), "sent.wasm": WASM, first: "{}", "x" * len(second): "{}"})
    return data.replace(b"x" * len(second), second.encode())


GOOD = {"plugin.toml": manifest("sent"), "sent.wasm": WASM}
HOSTILE: dict[str, bytes] = {
    "no zip": b"PK" + b"x" * 100,
    "empty": b"",
    "nothing in it": zipped({}),
    "no manifest": zipped({"sent.wasm": WASM}),
    "no module": zipped({"plugin.toml": manifest("sent")}),
    "up": zipped({**GOOD, "../up.json": "{}"}),
    "absolute": zipped({**GOOD, "/etc/cron.json": "{}"}),
    "up from a folder": zipped({**GOOD, "schemas/../../up.json": "{}"}),
    "dot": zipped({**GOOD, "schemas/./a.json": "{}"}),
    "nothing between": zipped({**GOOD, "schemas//a.json": "{}"}),
    "hidden folder": zipped({**GOOD, ".git/a.json": "{}"}),
    "deep": zipped({**GOOD, "a/b/c/d/e.json": "{}"}),
    "manifest in a folder": zipped({**GOOD, "sub/plugin.toml": manifest("other")}),
    "program in a folder": zipped({**GOOD, "sub/run.py": ""}),
    "folder with an odd name": zipped({**GOOD, "a b/": ""}),
    "folder above": zipped({**GOOD, "../": ""}),
    "absolute folder": zipped({**GOOD, "/etc/": ""}),
    "file and folder": zipped({**GOOD, "README": "", "readme/a.json": "{}"}),
    "twice in folders": zipped({**GOOD, "Schemas/a.json": "{}", "schemas/A.json": "{}"}),
    "many folders": zipped({**GOOD, **{f"f{number}/a.json": "{}" for number in range(17)}}),
    "link in a folder": odd_zip("schemas/a.json", mode=0o120777),
    "link and folder": zipped({**GOOD, "schemas.json": "/etc", "schemas.json/passwd.txt": ""}),
    "backslash": zipped({**GOOD, "a\\b.json": "{}"}),
    "hidden": zipped({**GOOD, ".bashrc": ""}),
    "drive": zipped({**GOOD, "c:a.json": "{}"}),
    "nul": zipped({**GOOD, "aXb.json": "{}"}).replace(b"aXb.json", b"a\0b.json"),
    "unicode": zipped({**GOOD, "pl\u0443gin.json": "{}"}),
    "nested": zipped({**GOOD, "more.zip": zipped(GOOD)}),
    "program": zipped({**GOOD, "run.py": ""}),
    "twice": twice("a.json", "a.json"),
    "twice in other case": twice("a.json", "A.json"),
    "many": zipped({**GOOD, **{f"{number}.json": "{}" for number in range(63)}}),
    "bomb": zipped({**GOOD, "a.txt": b"\0" * 10_000_000}),
    "link": odd_zip(mode=0o120777),
    "device": odd_zip(mode=0o020666),
    "encrypted": odd_zip(flags=1),
    "other compression": odd_zip(kind=zipfile.ZIP_LZMA),
    "comment": zipped(GOOD)[:-2] + b"\x03\x00abc",
    "cut": zipped(GOOD)[:-30],
    "long directory": zipped(GOOD)[:-10] + struct.pack("<LLH", 1 << 30, 0, 0),
    "many named": zipped(GOOD)[:-14] + struct.pack("<HH", 60_000, 60_000) + zipped(GOOD)[-10:],
    "no wasm": zipped({"plugin.toml": manifest("sent"), "sent.wasm": b"not wasm"}),
    "bad manifest": zipped({"plugin.toml": "manifest_version = 7", "sent.wasm": WASM}),
    "bad id": zipped({"plugin.toml": manifest("../up"), "sent.wasm": WASM}),
    "module elsewhere": zipped({"plugin.toml": manifest("sent", more='wasm = "../../x.wasm"'), "sent.wasm": WASM}),
    "id of another": bundle("well"),
}


@requirement("api:uploads")
async def test_hostile_bundles_are_refused_and_leave_nothing_behind(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        for name, content in HOSTILE.items():
            refused = await send(client, content)
            assert refused.status_code in (409, 422), (name, refused.text)
            assert str(tmp_path) not in refused.text, name
            assert list((tmp_path / "data" / "bundles").iterdir()) == [], name
            assert list((tmp_path / "data" / "plugins").iterdir()) == [], name
        assert [plugin["id"] for plugin in (await client.get(f"{API}/plugins")).json()["plugins"]] == ["well"]


@requirement("api:uploads")
async def test_an_upload_past_the_cap_is_cut_off(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, settings={"max_upload_mb": 1}) as server, server.client() as client:
        refused = await send(client, b"x" * (1024 * 1024 + 1))
        assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
        assert not list((tmp_path / "data").glob("bundles/*"))


def test_what_a_zip_says_of_its_sizes_is_not_believed(tmp_path: Path) -> None:
    data = zipped({**GOOD, "a.txt": bytes(range(256)) * 4})
    lying = data.replace(struct.pack("<L", 1_024), struct.pack("<L", 10))
    assert lying != data
    archive = tmp_path / "a.zip"
    archive.write_bytes(lying)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(BundleInvalid):
        unpack(archive, folder)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bytes_make_the_reader_of_zips_fail_in_another_way(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    good = zipped(GOOD)
    cut = bytearray(good)
    for _ in range(data.draw(st.integers(1, 6))):
        cut[data.draw(st.integers(0, len(cut) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("zip")
    archive = folder / "a.zip"
    archive.write_bytes(bytes(cut))
    (folder / "out").mkdir()
    with suppress(BundleInvalid):
        unpack(archive, folder / "out")
    assert {path.name for path in folder.iterdir()} == {"a.zip", "out"}
    assert all(zlib.crc32(path.read_bytes()) >= 0 and path.is_file() for path in (folder / "out").iterdir())
