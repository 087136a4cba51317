"""What is sent over HTTP is held against the same signatures and versions as what `add` fetches."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx2

from mcp_server.distribution.minisign import SecretKey
from mcp_server.distribution.signing import BUNDLE_NAME, SIGNATURE_NAME, SUMS_NAME, signed_files, with_sums
from tests.admin.conftest import API, ZIP, bundle, zipped
from tests.distribution.sigstore_bundles import ANN, bundle_of, raw
from tests.distribution.sigstore_instance import instance
from tests.guests import ECHO, module, write_plugin
from tests.http_server import http_server
from tests.requirements import requirement

OURS, THEIRS = SecretKey.generate(), SecretKey.generate()


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))


def trust(home: Path, more: str = "") -> None:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(f'[sharing]\n{more}\n[sharing.keys]\nann = "{OURS.public}"\n')


def signed(version: str, key: SecretKey) -> bytes:
    return zipped(signed_files(files_of(bundle("sent", version)), key, "for a test"))


async def send(client: httpx2.AsyncClient, content: bytes, **query: str) -> tuple[int, str]:
    """The status, and the version that is there now or the code."""
    answer = await client.post(f"{API}/plugins", content=content, headers=ZIP, params=query)
    told = answer.json()
    return answer.status_code, told["version"] if answer.status_code == 201 else told["code"]


def files_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def form_of(content: bytes, *leave_out: str) -> dict[str, tuple[str, bytes]]:
    """The files of a package as those of a form."""
    names = {"plugin.toml": "manifest", SUMS_NAME: "sums", SIGNATURE_NAME: "signature", BUNDLE_NAME: "sigstore"}
    form = {names.get(name, "module"): (name, data) for name, data in files_of(content).items()}
    return {name: part for name, part in form.items() if name not in leave_out}


def lock_of(home: Path) -> dict[str, Any]:
    return json.loads((home / "data" / "plugins.lock").read_text())["installed"]["sent"]


@requirement("api:signatures")
async def test_who_signed_the_installed_version_signs_the_next_one(stage: Path, tmp_path: Path) -> None:
    trust(tmp_path)
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        assert await send(client, signed("0.2.0", OURS)) == (201, "0.2.0")
        assert (lock_of(tmp_path)["signer"], lock_of(tmp_path)["key"]) == ("ann", str(OURS.public))
        assert await send(client, bundle("sent", "0.3.0")) == (403, "signature_invalid")
        assert await send(client, signed("0.3.0", THEIRS)) == (403, "signature_invalid")
        assert await send(client, signed("0.1.0", OURS)) == (409, "rollback_refused")
        assert lock_of(tmp_path)["version"] == "0.2.0"
        assert await send(client, signed("0.3.0", THEIRS), allow_other_signer="true") == (201, "0.3.0")
        assert await send(client, signed("0.1.0", OURS), allow_downgrade="true") == (201, "0.1.0")


@requirement("api:signatures")
async def test_what_must_be_signed_is_refused_unsigned_changed_or_by_a_stranger(stage: Path, tmp_path: Path) -> None:
    trust(tmp_path, "require_signature = true")
    files = files_of(signed("0.1.0", OURS))
    changed = zipped({**files, "plugin.toml": files["plugin.toml"] + b"# more\n"})
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        for content in (bundle("sent"), signed("0.1.0", THEIRS), changed):
            assert await send(client, content) == (403, "signature_invalid")
        assert not (tmp_path / "data" / "plugins" / "sent").exists()
        assert await send(client, signed("0.1.0", OURS)) == (201, "0.1.0")


@requirement("api:signatures")
async def test_who_signs_by_sigstore_is_judged_by_the_same_rules(stage: Path, tmp_path: Path) -> None:
    with instance() as made:
        tables = f'sigstore_trust = "{made.write(tmp_path)}"\nrequire_signature = true\n[sharing.identities]\n'
        trust(tmp_path, f'{tables}bob = {{ identity = "{ANN}", issuer = "{made.origin}" }}')

        def by(who: str, version: str = "0.2.0") -> bytes:
            with zipfile.ZipFile(io.BytesIO(bundle("sent", version))) as opened:
                files = with_sums({name: opened.read(name) for name in opened.namelist()})
            return zipped({**files, BUNDLE_NAME: raw(bundle_of(made, files[SUMS_NAME], who))})

        async with http_server(stage, home=tmp_path) as server, server.client() as client:
            assert await send(client, by("mallory@example.com")) == (403, "signature_invalid")
            form = await client.post(f"{API}/plugins", files=form_of(by(ANN)))
            assert form.status_code == 201, form.text
            assert lock_of(tmp_path)["signer"] == "bob"
            assert await send(client, by(ANN, "0.1.0")) == (409, "rollback_refused")
            assert await send(client, signed("0.3.0", OURS)) == (403, "signature_invalid")


@requirement("api:signatures")
async def test_a_form_brings_its_signature_and_is_judged_by_it(stage: Path, tmp_path: Path) -> None:
    trust(tmp_path, "require_signature = true")
    good, older = signed("0.2.0", OURS), signed("0.1.0", OURS)
    changed = {**form_of(good), "manifest": ("plugin.toml", files_of(good)["plugin.toml"] + b"# more\n")}
    async with http_server(stage, home=tmp_path) as server, server.client() as client:

        async def sent(form: Any, **query: str) -> tuple[int, str]:
            answer = await client.post(f"{API}/plugins", files=form, params=query)
            told = answer.json()
            return answer.status_code, told["version"] if answer.status_code == 201 else told["code"]

        unsigned = (form_of(good, "signature"), form_of(good, "sums"), form_of(good, "sums", "signature"))
        for form in (*unsigned, changed, form_of(signed("0.2.0", THEIRS))):
            assert await sent(form) == (403, "signature_invalid")
        other_names = {**form_of(good), "signature": ("x.minisig", files_of(good)[SIGNATURE_NAME])}
        assert await sent(other_names) == (201, "0.2.0")  # what the files are called is of no account
        assert (lock_of(tmp_path)["signer"], lock_of(tmp_path)["key"]) == ("ann", str(OURS.public))
        assert await sent(form_of(older)) == (409, "rollback_refused")
        assert await sent(form_of(older), allow_downgrade="true") == (201, "0.1.0")
        twice = [*form_of(good).items(), ("module", ("sent.wasm", module(ECHO)))]
        assert await sent([*twice, twice[-1]]) == (400, "invalid_body")  # more files than a form may have
        for form in (
            twice,
            twice[1:],
            [part for part in twice if part[0] != "sums"],
            {**form_of(good, "sums"), "notes": b""},
        ):
            assert await sent(form) == (422, "bundle_invalid")
