"""Installs what was fetched, all of it or nothing, once every check has passed. How it came does not matter.

The checks, in their order: names and sizes, manifest against module, host version, signature, who signed before, older
versions, what plugins need of each other, the lock where ``--locked`` was said. It grants and approves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mcp_server import __version__
from mcp_server.distribution.errors import IndexInvalid, LockDrift, RollbackRefused, SignatureProblem
from mcp_server.distribution.requirements import installed_manifests, require_compatible
from mcp_server.distribution.signing import Signed, Trust, signatures_of, which_counts
from mcp_server.errors import NameCollision
from mcp_server.manifest import Manifest
from mcp_server.policy.versions import newer
from mcp_server.registry.archive import files_in
from mcp_server.registry.bundle_names import check_names
from mcp_server.registry.installed import Arrival, InstalledPlugins
from mcp_server.registry.lockfile import Origin, Origins
from mcp_server.registry.registration import checked_bundle, origin_of

__all__ = ["Added", "Allowed", "Offer", "add_offers", "remove_plugins", "sent_origin"]


@dataclass(frozen=True, slots=True)
class Offer:
    """The files of one bundle, and where they came from.

    Attributes:
        files: By name; nothing of them was checked.
        source: Exactly what was read.
        follows: What was asked for.
        plugin: The id that it must have; empty for any.
        version: The version that it must have; empty for any.
    """

    files: dict[str, bytes] = field(repr=False)
    source: str
    follows: str
    plugin: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator says about signatures and versions; ``locked``: only what ``plugins.lock`` says."""

    trust: Trust
    require_signature: bool = False
    downgrade: bool = False
    other_signer: bool = False
    locked: bool = False


class _From(NamedTuple):
    source: str
    follows: str


@dataclass(frozen=True, slots=True)
class Added:
    """One plugin that was installed.

    Attributes:
        manifest: Of the new version.
        origin: As in the lock.
        before: The version that it replaced.
        signed: The signature that counts.
        same: Whether these very files were installed already.
    """

    manifest: Manifest
    origin: Origin
    before: str | None
    signed: Signed | None
    same: bool


def add_offers(installed: InstalledPlugins, offers: Sequence[Offer], allowed: Allowed) -> list[Added]:
    """Install ``offers`` together.

    Raises:
        AgentMemError: What is wrong with one of them; nothing has changed.
    """
    origins = installed.origins()
    with ExitStack() as stack:
        added: list[Added] = []
        arrivals: dict[str, Arrival | None] = {}
        for offer in offers:
            staged = stack.enter_context(installed.staging())
            one = _judged(installed, offer, staged, origins, allowed)
            plugin = one.manifest.plugin.id
            if plugin in arrivals:
                raise NameCollision(f"plugin '{plugin}' is asked for twice", fix="name it once")
            added.append(one)
            arrivals[plugin] = Arrival(staged, one.origin)
        manifests = {one.manifest.plugin.id: one.manifest for one in added}
        require_compatible(installed_manifests(installed.folder), manifests)
        if arrivals:
            installed.change(arrivals)
        return added


def remove_plugins(installed: InstalledPlugins, plugins: Iterable[str]) -> None:
    """Remove ``plugins`` together; what was granted to them and approved stays written down.

    Raises:
        NotInstalled: One was not installed here.
        RequirementConflict: One that stays needs one that goes.
        InstallFailed: The disk said no.
    """
    wanted = list(dict.fromkeys(plugins))
    installed.settle()
    for plugin in wanted:
        installed.require(plugin)
    require_compatible(installed_manifests(installed.folder), dict.fromkeys(wanted))
    installed.remove(*wanted)


def _judged(installed: InstalledPlugins, offer: Offer, staged: Path, origins: Origins, allowed: Allowed) -> Added:
    check_names(offer.files)
    for name, data in offer.files.items():
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).write_bytes(data)
    manifest = checked_bundle(staged, __version__)
    plugin, version = manifest.plugin.id, manifest.plugin.version
    wanted = offer.plugin or plugin, offer.version or version
    if wanted != (plugin, version):
        raise IndexInvalid(
            f"what was offered is '{wanted[0]}' {wanted[1]}, and the package says that it is '{plugin}' {version}",
            fix="tell whoever keeps the index",
        )
    before = origins.get(plugin)
    origin, signed = _origin(installed, staged, manifest, before, allowed, _From(offer.source, offer.follows))
    if allowed.locked:
        _check_lock(plugin, origin, installed.lock.origins().get(plugin))
    same = before is not None and before.sha256 == origin.sha256
    return Added(manifest, origin, before.version if before else None, signed, same)


def sent_origin(installed: InstalledPlugins, allowed: Allowed, staged: Path, manifest: Manifest) -> Origin:
    """What is written down about a bundle that was sent over HTTP, if signature and version are what ``add`` takes.

    Raises:
        SignatureProblem: It is not signed by who it must be, or its signature is wrong.
        RollbackRefused: It is older than what was installed before.
        OSError: A file of it cannot be read.
    """
    before = installed.origins().get(manifest.plugin.id)
    sent = _From("sent to the management API", "")
    return _origin(installed, staged, manifest, before, allowed, sent)[0]


def _origin(
    installed: InstalledPlugins, staged: Path, manifest: Manifest, before: Origin | None, allowed: Allowed, came: _From
) -> tuple[Origin, Signed | None]:
    """The origin of what is staged, and its signature, once who signed it and its version are in order."""
    plugin, version = manifest.plugin.id, manifest.plugin.version
    written = before or installed.lock.origins().get(plugin)  # under --locked the lock knows what is not yet here
    signed = which_counts(
        signatures_of(files_in(staged), allowed.trust), written and written.signer, written and written.key
    )
    _check_signer(plugin, signed, before, allowed)
    floors = [text for text in (before and before.version, installed.lock.newest_signed(plugin)) if text]
    for floor in () if allowed.downgrade else floors:
        if newer(floor, version):
            raise RollbackRefused(
                f"plugin '{plugin}' {version} is older than {floor}, which was installed before",
                fix="if that is what you want, say --allow-downgrade",
                data={"plugin": plugin, "offered": version, "installed": floor},
            )
    signer, key = (signed.signer, signed.key) if signed else (None, None)
    return origin_of(staged, manifest, came.source, follows=came.follows, signer=signer, key=key), signed


def _check_signer(plugin: str, signed: Signed | None, before: Origin | None, allowed: Allowed) -> None:
    who, fix = "is not signed", "ask its author for a signed one"
    if signed is not None:
        who, fix = signed.doubt, signed.fix
    known = signed is not None and signed.signer is not None
    if allowed.require_signature and not known:
        raise SignatureProblem(f"the package of '{plugin}' {who}, and [sharing] require_signature is set", fix=fix)
    if before is None or before.signer is None or allowed.other_signer:
        return
    if signed is None or signed.signer is None:
        raise SignatureProblem(
            f"the package of '{plugin}' {who}; the one that is installed was signed by '{before.signer}'",
            fix=f"{fix}; to install it all the same, say --allow-other-signer",
        )
    if before.signer != signed.signer and before.key != signed.key:
        raise SignatureProblem(
            f"the package of '{plugin}' is signed by '{signed.signer}'; the one that is installed was signed by "
            f"'{before.signer}'",
            fix="ask both whether that is right; to install it all the same, say --allow-other-signer",
        )


def _check_lock(plugin: str, found: Origin, expected: Origin | None) -> None:
    if expected is None:
        raise LockDrift(f"--locked: plugins.lock does not have '{plugin}'", fix=f"agentmem-mcp add {found.follows}")
    for name in ("version", "sha256", "key"):
        if getattr(found, name) != getattr(expected, name):
            raise LockDrift(
                f"--locked: {name} of '{plugin}' from {found.source} is {getattr(found, name) or 'none'}; "
                f"plugins.lock says {getattr(expected, name) or 'none'}",
                fix="find out who changed it; to take it all the same, add it without --locked",
                data={"plugin": plugin, "differs": name},
            )
