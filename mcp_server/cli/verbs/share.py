"""The verbs that bring plugins to other people, and theirs to this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.options import Config, Json, Plugins, Quiet

__all__ = ["register"]

Offline = Annotated[bool, typer.Option("--offline", help="Take what was fetched before, and ask no server.")]
Downgrade = Annotated[bool, typer.Option("--allow-downgrade", help="Also a version older than one before.")]
OtherSigner = Annotated[
    bool, typer.Option("--allow-other-signer", help="Also when who signed the installed version did not sign this one.")
]
Locked = Annotated[bool, typer.Option("--locked", help="Only exactly what plugins.lock says.")]

SigstoreTrust = Annotated[
    Path | None,
    typer.Option("--sigstore-trust", metavar="FILE", help="An instance of Sigstore, in place of the configured one."),
]


def _installed(incomplete: str) -> list[str]:
    """The ids of added plugins that begin so, for a shell to complete."""
    from mcp_server.settings import user_folders

    folder = user_folders().plugins
    names = [path.name for path in folder.iterdir() if path.is_symlink()] if folder.is_dir() else []
    return sorted(name for name in names if name.startswith(incomplete))


def package(
    folder: Annotated[Path, typer.Argument(help="The plugin's folder, or its plugin.toml.")] = Path(),
    output: Annotated[
        Path, typer.Option("--output", metavar="PATH", help="A folder, or the archive's own path.")
    ] = Path(),
    plugins: Plugins = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Pack a plugin into one archive; the same plugin gives the same bytes.

    Example: agentmem-mcp package manifests/hello --plugins plugins
    """
    from mcp_server.cli.packages import How, pack

    pack(folder, output, plugins or (), How(quiet=quiet, json=json))


def sign(
    archive: Annotated[Path, typer.Argument(help="What `package` wrote.")],
    key: Annotated[
        str | None, typer.Option("--key", metavar="NAME", help="A key of `key generate`, `default` else, or its file.")
    ] = None,
    sigstore: Annotated[
        bool, typer.Option("--sigstore", help="As who you are, by Sigstore; that gets public, with the digest.")
    ] = False,
    signature: Annotated[
        Path | None,
        typer.Option("--signature", metavar="FILE", help="One that minisign, cosign or sigstore made already."),
    ] = None,
    trust: SigstoreTrust = None,
    config: Config = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Sign a package with a key, or as who you are; manifest, module and every other file are covered.

    Example: agentmem-mcp sign hello-0.1.0.zip --key me
    """
    from mcp_server.cli.adding import How
    from mcp_server.cli.signatures import By
    from mcp_server.cli.signatures import sign as sign_archive

    sign_archive(archive, By(key, sigstore, signature, trust), How(config, quiet=quiet, json=json))


def verify(
    target: Annotated[
        str, typer.Argument(help="An archive, a folder, or the id of an added plugin.", autocompletion=_installed)
    ],
    key: Annotated[
        str | None, typer.Option("--key", metavar="RW…", help="A public key or its file, in place of those you trust.")
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option("--identity", metavar="WHO", help="Who signed by Sigstore, in place of those you trust."),
    ] = None,
    issuer: Annotated[
        str | None, typer.Option("--issuer", metavar="URL", help="Who must have vouched for that identity.")
    ] = None,
    trust: SigstoreTrust = None,
    config: Config = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Check a package, and that somebody you trust has signed it; asks no server.

    Example: agentmem-mcp verify hello-0.1.0.zip
    """
    from mcp_server.cli.adding import How
    from mcp_server.cli.signatures import Whose
    from mcp_server.cli.signatures import verify as verify_package

    verify_package(target, Whose(key, identity, issuer, trust), How(config, quiet=quiet, json=json))


def publish(
    target: Annotated[str, typer.Argument(help="An archive, or a plugin's folder.")],
    place: Annotated[str, typer.Argument(help="oci://HOST/REPOSITORY[:TAG], or the folder of a static index.")],
    replace: Annotated[bool, typer.Option("--replace", help="Also over another package of that name.")] = False,
    plugins: Plugins = None,
    config: Config = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Send a package to a registry, or into the folder of a static index.

    Example: agentmem-mcp publish hello-0.1.0.zip oci://ghcr.io/me/hello
    """
    from mcp_server.cli.packages import How
    from mcp_server.cli.packages import publish as publish_package

    how = How(config, tuple(plugins or ()), quiet=quiet, json=json)
    publish_package(target, place, how, replace=replace)


def add(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="A folder, an archive, an https or oci URL, or ID[@VERSION]."),
    ] = None,
    locked: Locked = False,
    offline: Offline = False,
    allow_downgrade: Downgrade = False,
    allow_other_signer: OtherSigner = False,
    plugins: Plugins = None,
    config: Config = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Install plugins. It grants and approves nothing: it says what they ask for, and the next command.

    Example: agentmem-mcp add hello@^0.1 oci://ghcr.io/me/other:1.2.0 ./mine-0.3.0.zip
    """
    from mcp_server.cli.adding import How, add_plugins

    roots = tuple(plugins or ())
    add_plugins(
        sources or [], How(config, roots, locked, offline, allow_downgrade, allow_other_signer, quiet=quiet, json=json)
    )


def update(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="PLUGIN", help="All, when none is named.", autocompletion=_installed)
    ] = None,
    offline: Offline = False,
    allow_downgrade: Downgrade = False,
    allow_other_signer: OtherSigner = False,
    config: Config = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Install what was added again, where its source has something else by now: all of it, or nothing.

    Example: agentmem-mcp update hello
    """
    from mcp_server.cli.adding import How, update_plugins

    how = How(config, (), False, offline, allow_downgrade, allow_other_signer, quiet=quiet, json=json)
    update_plugins(ids or [], how)


def remove(
    ids: Annotated[list[str], typer.Argument(metavar="PLUGIN", autocompletion=_installed, help="Their ids.")],
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Remove plugins that were added; grants and approvals stay written down.

    Example: agentmem-mcp remove hello
    """
    from mcp_server.cli.adding import How, remove_them

    remove_them(ids, How(quiet=quiet, json=json))


def search(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD", help="Each must be found; none lists all.")
    ] = None,
    offline: Offline = False,
    config: Config = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Look for plugins in the indexes of `[sharing.indexes]`.

    Example: agentmem-mcp search weather
    """
    from mcp_server.cli.adding import How, search_indexes

    search_indexes(words or [], How(config, offline=offline, quiet=quiet, json=json))


def register(app: typer.Typer) -> None:
    """Give ``app`` these verbs."""
    for verb in (package, sign, verify, publish, search, add, update, remove):
        app.command()(verb)
