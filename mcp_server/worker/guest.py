"""One compiled module and its instances, on Extism's C API.

The C functions are called directly because the Python SDK adds about 1 µs a call, cannot combine a compiled
plugin with a fuel limit, and writes through a null offset when a host answer does not fit (SIGSEGV). Every
:class:`Engine` is its own engine: a cancel in one never touches calls that run in another (instances of one
compiled plugin share their epoch).
"""

from __future__ import annotations

import base64
import json
import re
import threading
import uuid
from collections.abc import Callable
from typing import Any

from extism_sys import ffi, lib  # pyright: ignore[reportMissingTypeStubs]  # cffi, untyped

from mcp_server.worker.frames import Status
from mcp_server.worker.order import LoadOrder

__all__ = ["Engine", "GuestStop", "HostCall", "Instance", "engine_manifest", "engine_version", "watch_traps"]

HostCall = Callable[[int, bytes], bytes | None]
"""(index of the linked host function, request) -> answer; None ends the guest's call."""

MAX_HOST_REQUEST = 16 * 1024 * 1024
MAX_ERROR_TEXT = 16_384
_NO_ROOM = (
    b'{"success":false,"data":null,"error":"the answer does not fit into memory","metadata":{"code":"limit_memory"}}'
)
_TOO_LONG = b'{"success":false,"data":null,"error":"the request is too long","metadata":{"code":"request_too_large"}}'
_TRAP_REASON = re.compile(r"Caused by:\n(.*?)(?:\n plugin=|\Z)", re.DOTALL)
_PLUGIN_ID = re.compile(r'plugin="([0-9a-f-]{36})"\s*\Z')
_MAX_KEPT_REASONS = 256
_REASON_PREFIX = re.compile(r"^\s*(?:\d+:\s*)?(?:wasm trap:\s*)?", re.MULTILINE)

_lib: Any = lib  # cffi's objects have no static types; everything below names what it holds
_ffi: Any = ffi
_I64 = _ffi.new("ExtismValType[1]", [_lib.ExtismValType_I64])


class GuestStop(Exception):
    """A call or a load that did not end with an output.

    Attributes:
        status: What kind of end it was.
        text: What the guest or the engine said; cleaned of anything but text.
        keep: Whether the instance may serve again (only after a clean guest error).
    """

    def __init__(self, status: int, text: str, *, keep: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.keep = keep


def engine_manifest(order: LoadOrder, wasm: bytes) -> bytes:
    """Extism's own manifest: the module as data, no hosts, no paths, so nothing is reachable through it."""
    strings: dict[str, str] = {}
    for key, value in json.loads(order.config).items():
        strings[key] = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(
        {
            "wasm": [{"data": base64.b64encode(wasm).decode("ascii")}],
            "memory": {"max_pages": order.max_pages, "max_http_response_bytes": 0, "max_var_bytes": 1_048_576},
            "config": strings,
            "allowed_hosts": [],
            "allowed_paths": {},
        }
    ).encode()


class Engine:
    """A compiled module with the host functions of one lane linked.

    Args:
        order: What to link and which limits to set.
        manifest: From :func:`engine_manifest`; shared between the engines of a worker.
        host_call: Called on the thread that runs the guest, once per host call.

    Raises:
        GuestStop: LOAD_FAILED with the engine's reason.
    """

    def __init__(self, order: LoadOrder, manifest: bytes, host_call: HostCall) -> None:
        self.order = order
        self._host_call = host_call
        self._keep: list[Any] = []  # cffi objects the engine points into
        functions = [self._link(index, module, name) for index, (module, name) in enumerate(order.host)]
        array = _ffi.new("ExtismFunction*[]", functions) if functions else _ffi.NULL
        error = _ffi.new("char**")
        self._compiled = _lib.extism_compiled_plugin_new_with_fuel_limit(
            manifest, len(manifest), array, len(functions), order.wasi, order.fuel, error
        )
        for function in functions:  # the compiled plugin has its own reference
            _lib.extism_function_free(function)
        if self._compiled == _ffi.NULL:
            raise GuestStop(Status.LOAD_FAILED, _take_error(error))

    def instance(self) -> Instance:
        """A fresh instance; runs the module's start section.

        Raises:
            GuestStop: LOAD_FAILED, OUT_OF_FUEL or OUT_OF_MEMORY.
        """
        error = _ffi.new("char**")
        plugin = _lib.extism_plugin_new_from_compiled(self._compiled, error)
        if plugin == _ffi.NULL:
            text = _take_error(error)
            raise GuestStop(_status_of(text, Status.LOAD_FAILED), text)
        return Instance(plugin, self.order.max_output)

    def close(self) -> None:
        """Free the compiled code; its instances must be closed before."""
        _lib.extism_compiled_plugin_free(self._compiled)
        self._compiled = _ffi.NULL
        self._keep.clear()

    def _link(self, index: int, module: str, name: str) -> Any:
        host_call = self._host_call

        def answer(plugin: Any, inputs: Any, _n: int, outputs: Any, _m: int, _data: Any) -> None:
            reply = _TOO_LONG
            offset = inputs[0].v.i64
            length = _lib.extism_current_plugin_memory_length(plugin, offset)
            if length <= MAX_HOST_REQUEST:
                request = _ffi.buffer(_lib.extism_current_plugin_memory(plugin) + offset, length)[:]
                reply = host_call(index, request)
            if reply is None or not _hand_over(plugin, outputs, reply):
                # A result of the wrong type ends the call in wasmtime; returning 0 would let the guest go on.
                outputs[0].t = _lib.ExtismValType_F64

        callback = _ffi.callback(
            "void(ExtismCurrentPlugin*, ExtismVal*, ExtismSize, ExtismVal*, ExtismSize, void*)", answer
        )
        function = _lib.extism_function_new(name.encode(), _I64, 1, _I64, 1, callback, _ffi.NULL, _ffi.NULL)
        _lib.extism_function_set_namespace(function, module.encode())
        self._keep.append(callback)
        return function


class Instance:
    """One instance of a guest. One thread at a time; only :meth:`cancel` may come from another."""

    __slots__ = ("_handle", "_max_output", "_plugin")

    def __init__(self, plugin: Any, max_output: int) -> None:
        self._plugin = plugin
        self._max_output = max_output
        self._handle = _lib.extism_plugin_cancel_handle(plugin)

    def call(self, function: bytes, data: bytes) -> bytes:
        """Run ``function`` on ``data`` and copy its output.

        Raises:
            GuestStop: Anything but an output within its limit.
        """
        plugin = self._plugin
        code = _lib.extism_plugin_call(plugin, function, data, len(data))
        if code == 0 and _lib.extism_plugin_error(plugin) == _ffi.NULL:
            length = _lib.extism_plugin_output_length(plugin)
            if length > self._max_output:
                raise GuestStop(Status.OUTPUT_TOO_LARGE, str(length), keep=True)
            return _ffi.buffer(_lib.extism_plugin_output_data(plugin), length)[:]
        raise self._stop(code)

    def cancel(self) -> None:
        """Stop the running call; does nothing when none runs. The instance must not be closed meanwhile."""
        _lib.extism_plugin_cancel(self._handle)

    def close(self) -> None:
        """Free the instance and its memory."""
        _lib.extism_plugin_free(self._plugin)
        self._plugin = _ffi.NULL

    def _stop(self, code: int) -> GuestStop:
        pointer = _lib.extism_plugin_error(self._plugin)
        # ffi.string + replacement: the text is the guest's and need not be UTF-8.
        text = (
            _ffi.string(pointer, MAX_ERROR_TEXT).decode("utf-8", "replace")
            if pointer != _ffi.NULL
            else f"returned {code}"
        )
        if text.startswith("Function not found"):
            return GuestStop(Status.NO_FUNCTION, text, keep=True)
        if code in (-1, 134) or text == "timeout":
            reason = _trap_reason(self._plugin)
            if code == -1 and not reason and not _ENGINE_SAYS.search(text):  # PDKs return -1 with a plugin's own error
                return GuestStop(Status.PLUGIN_ERROR, text, keep=True)
            return GuestStop(_status_of(text + reason, Status.TRAP), reason.strip() or text)
        return GuestStop(Status.PLUGIN_ERROR, text, keep=True)


_ENGINE_SAYS = re.compile(
    r"^(timeout|oom|plugin ran out of fuel|failed to allocate extism memory|out of memory \(failed to allocate )|"
    "wasm backtrace|Cannot allocate memory|incompatible value"
)
_ENDS: tuple[tuple[str, int], ...] = (
    ("fuel", Status.OUT_OF_FUEL),
    ("oom", Status.OUT_OF_MEMORY),
    ("failed to allocate extism memory", Status.OUT_OF_MEMORY),
    ("Cannot allocate memory", Status.OUT_OF_MEMORY),
    ("incompatible value", Status.HOST_ABORTED),
)


def _status_of(text: str, otherwise: int) -> int:
    if text.startswith("timeout"):
        return Status.STOPPED
    return next((status for word, status in _ENDS if word in text), otherwise)


def _hand_over(plugin: Any, outputs: Any, reply: bytes) -> bool:
    """Copy ``reply`` into guest memory; a short envelope when it does not fit; False when not even that does."""
    for candidate in (reply, _NO_ROOM):
        offset = _lib.extism_current_plugin_memory_alloc(plugin, len(candidate))
        if offset and _lib.extism_current_plugin_memory_length(plugin, offset) >= len(candidate):
            _ffi.memmove(_lib.extism_current_plugin_memory(plugin) + offset, candidate, len(candidate))
            outputs[0].v.i64 = offset
            return True
    return False


def _take_error(error: Any) -> str:
    if error[0] == _ffi.NULL:
        return "the engine gave no reason"
    text = _ffi.string(error[0]).decode("utf-8", "replace")
    _lib.extism_plugin_new_error_free(error[0])
    return text


_reasons: dict[str, str] = {}
_reasons_lock = threading.Lock()


@_ffi.callback("void(char*, ExtismSize)")
def _collect(text: Any, length: int) -> None:
    line = _ffi.buffer(text, length)[:].decode("utf-8", "replace")
    plugin, found = _PLUGIN_ID.search(line), _TRAP_REASON.search(line)
    if plugin and found:
        lines = (_REASON_PREFIX.sub("", part).strip() for part in found.group(1).splitlines())
        _reasons[plugin.group(1)] = "; ".join(part for part in lines if part)


def watch_traps() -> None:
    """Keep the engine's own error log, the only place where a trap's reason appears; guest logs stay out."""
    _lib.extism_log_custom(b"extism::plugin=error")


def _trap_reason(plugin: Any) -> str:
    """Drain the engine's error log, which all threads share, and take this instance's last reason."""
    name = str(uuid.UUID(bytes=_ffi.buffer(_lib.extism_plugin_id(plugin), 16)[:]))
    with _reasons_lock:
        _lib.extism_log_drain(_collect)
        reason = _reasons.pop(name, "")
        if len(_reasons) > _MAX_KEPT_REASONS:  # of instances that nobody asked about
            _reasons.clear()
    return reason


def engine_version() -> str:
    """The version of libextism that runs here."""
    return _ffi.string(_lib.extism_version()).decode()
