"""Names what a file is when it is not a WebAssembly core module.

The commonest failed upload is the wrong file: a manifest, a component, a build's intermediate, a pointer that Git LFS
left. It only looks at the first bytes, and what it says is a guess made for a person.
"""

from __future__ import annotations

import codecs
import re

from mcp_server.errors import ModuleError

__all__ = ["HEADER_BYTES", "check_header"]

_MAGIC = b"\0asm"
_VERSION = b"\1\0\0\0"
HEADER_BYTES = 8
_LOOKED_AT = 4096
_UTF8 = codecs.getincrementaldecoder("utf-8-sig")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")

# First bytes -> (what the file is, what to do). A longer signature stands before one that it begins with.
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x7fELF", "an ELF binary, native code or an engine's compiled cache", "give the .wasm it was made from"),
    (b"PK\x03\x04", "a zip archive", "unpack it and give the .wasm inside"),
    (b"PK\x05\x06", "an empty zip archive", "give a .wasm file"),
    (b"\x1f\x8b", "a gzip file", "unpack it with gunzip"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it with zstd -d"),
    (b"\xfd7zXZ\0", "an xz file", "unpack it with unxz"),
    (b"BZh", "a bzip2 file", "unpack it with bunzip2"),
    (b"!<arch>\n", "a static library", "build a module: in Rust, crate-type = ['cdylib']"),
    (b"BC\xc0\xde", "LLVM bitcode", "link it into a module with wasm-ld"),
    (b"MZ", "a Windows executable (PE)", "compile for a wasm32 target"),
    (b"\xfe\xed\xfa\xce", "a Mach-O binary", "compile for a wasm32 target"),
    (b"\xfe\xed\xfa\xcf", "a Mach-O binary", "compile for a wasm32 target"),
    (b"\xce\xfa\xed\xfe", "a Mach-O binary", "compile for a wasm32 target"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O binary", "compile for a wasm32 target"),
    (b"\xca\xfe\xba\xbe", "a universal Mach-O binary or a Java class", "compile for a wasm32 target"),
    (b"%PDF-", "a PDF document", "give a .wasm file"),
    (b"\xff\xfe", "UTF-16 text", "give a .wasm file"),
    (b"\xfe\xff", "UTF-16 text", "give a .wasm file"),
)

# The same for text, after white space and with letters in lower case.
_TEXTS: tuple[tuple[str, str, str], ...] = (
    ("#!", "a script", "give a .wasm file"),
    ("(module", "WebAssembly text (WAT)", "assemble it with wat2wasm or wasm-tools parse"),
    ("(component", "WebAssembly component text (WAT)", "build a core module for Extism"),
    ("(;", "WebAssembly text (WAT)", "assemble it with wat2wasm or wasm-tools parse"),
    (";;", "WebAssembly text (WAT)", "assemble it with wat2wasm or wasm-tools parse"),
    (
        "{",
        "JSON, perhaps an Extism manifest",
        "give the .wasm itself; rights are granted in this server's configuration",
    ),
    ("[plugin", "TOML, perhaps a plugin.toml", "give the .wasm file it belongs to"),
    ("manifest_version", "TOML, perhaps a plugin.toml", "give the .wasm file it belongs to"),
    ("[", "JSON or TOML", "give a .wasm file"),
    ("version https://git-lfs", "a Git LFS pointer, not the file it stands for", "run git lfs pull"),
    ("<!doctype html", "an HTML page, perhaps an error page that was saved", "download the file again"),
    ("<html", "an HTML page, perhaps an error page that was saved", "download the file again"),
    ("<", "XML or HTML", "give a .wasm file"),
)


def check_header(data: bytes) -> None:
    """Pass the eight bytes every core module begins with.

    Raises:
        ModuleError: They are something else, which the message names.
    """
    if data.startswith(_MAGIC + _VERSION):
        return
    if data.startswith(_MAGIC):
        raise _wrong_version(data[4:HEADER_BYTES])
    what, fix = _identify(data)
    raise ModuleError(f"not a WebAssembly module: the file is {what}", fix=fix)


def _wrong_version(field: bytes) -> ModuleError:
    if len(field) < HEADER_BYTES - len(_MAGIC):
        return ModuleError(
            f"malformed module: the file ends after {len(_MAGIC) + len(field)} bytes, within the header",
            fix="build or copy the module again",
        )
    version, layer = int.from_bytes(field[:2], "little"), int.from_bytes(field[2:], "little")
    if layer == 1:
        return ModuleError(
            f"a WebAssembly component (version {version:#x}, layer 1); this host runs core modules made for Extism",
            fix="build with an Extism PDK for wasm32-unknown-unknown or wasm32-wasip1, not wasm32-wasip2",
        )
    return ModuleError(
        f"WebAssembly binary version {int.from_bytes(field, 'little')} at byte 0x4; this host reads version 1",
        fix="build the module with a current toolchain",
    )


def _identify(data: bytes) -> tuple[str, str]:
    """What a file without the magic is, and what to do about it."""
    if not data:
        return "empty", "build or copy the module again"
    if len(data) < len(_MAGIC):
        return f"only {len(data)} byte{'s' if len(data) > 1 else ''} long ({data.hex(' ')})", "copy the module again"
    for signature, what, fix in _SIGNATURES:
        if data.startswith(signature):
            return what, fix
    if data[257:262] == b"ustar":
        return "a tar archive", "unpack it and give the .wasm inside"
    return _identify_text(data[:_LOOKED_AT], whole=len(data) <= _LOOKED_AT)


def _identify_text(head: bytes, *, whole: bool) -> tuple[str, str]:
    try:
        # Not final when the head was cut, because the cut may fall within a character.
        text = _UTF8().decode(head, final=whole)
    except UnicodeDecodeError:
        text = "\0"
    if _NOT_TEXT.search(text):
        return f"unknown binary data that begins with {head[:4].hex(' ')}", "give a .wasm file"
    start = text.lstrip().lower()
    for prefix, what, fix in _TEXTS:
        if start.startswith(prefix):
            return what, fix
    return "text", "give a .wasm file"
