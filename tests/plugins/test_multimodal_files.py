"""Files that ``multimodal`` reads by their path, and bytes that somebody changed."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.testing import Plugin, ToolFailed
from mcp_server.testing.fixtures import LoadPlugin
from tests.plugins.pictures import COMPILED, MEDIA, SAMPLES, base64_of, encoded, sample, scene

pytestmark = pytest.mark.plugin("manifests/multimodal", limits=COMPILED)


def granted(folder: Path) -> dict[str, Any]:
    roots = [{"name": "media", "folder": str(folder), "mode": "read"}]
    return {"capabilities": ["FileSystemAccess"], "filesystem": {"roots": roots}}


def test_a_granted_file_gives_the_same_answer_by_its_path(load_plugin: LoadPlugin) -> None:
    plugin = load_plugin("manifests/multimodal", limits=COMPILED, grants=granted(MEDIA))
    for path in SAMPLES:
        tool = "describe_image" if path.suffix in {".png", ".jpg", ".gif", ".webp"} else "audio_info"
        assert plugin.call(tool, path=f"media/{path.name}") == plugin.call(tool, data=sample(path.name))


def test_of_a_large_file_only_parts_are_read(load_plugin: LoadPlugin, tmp_path: Path) -> None:
    data = (MEDIA / "clip.mp4").read_bytes()
    with (tmp_path / "long.mp4").open("wb") as file:  # a hole of 1.5 GB before the facts, as cameras leave the film
        at = data.index(b"mdat") - 4
        size = int.from_bytes(data[at : at + 4], "big")
        assert data.index(b"moov") > at
        file.write(data[:at] + struct.pack(">I4sQ", 1, b"mdat", 3 << 29))
        file.seek(at + (3 << 29))
        file.write(data[at + size :])
    plugin = load_plugin("manifests/multimodal", limits=COMPILED, grants=granted(tmp_path))
    told = plugin.call("audio_info", path="media/long.mp4")
    assert [track["codec"] for track in told["tracks"]] == ["h264", "aac"]
    assert "at most 10485760 are read" in told["note"]
    assert sum(call.request.get("limit", 0) for call in plugin.host_calls) < 1 << 20


def test_files_need_a_grant_and_stay_in_it(plugin: Plugin, load_plugin: LoadPlugin) -> None:
    with pytest.raises(ToolFailed, match="FileSystemAccess, which is not granted"):
        plugin.call("describe_image", path="media/photo.jpg")
    allowed = load_plugin("manifests/multimodal", limits=COMPILED, grants=granted(MEDIA))
    for path in ("media/../secret.png", "elsewhere/photo.jpg", "media/none.jpg"):
        with pytest.raises(ToolFailed) as caught:
            allowed.call("describe_image", path=path)
        assert caught.value.code == "plugin_error"


def test_the_pixel_budget_is_the_operators(load_plugin: LoadPlugin) -> None:
    small = load_plugin("manifests/multimodal", limits=COMPILED, config={"max_megapixels": {"png": 0.1}})
    told = small.call("describe_image", data=encoded(scene(500, 300), "PNG"))
    assert told["look"] is None
    assert "at most 0.1 million" in told["note"]


def test_an_animation_that_breaks_off_after_its_first_frame_is_described(plugin: Plugin) -> None:
    data = (MEDIA / "moving.webp").read_bytes()[:76]
    assert plugin.call("describe_image", data=base64_of(data))["animation"]["frames"] == 1


@pytest.mark.timeout(120)
@settings(max_examples=150, deadline=None, database=None)
@given(data=st.data())
def test_changed_files_are_answered_or_refused(plugin: Plugin, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(SAMPLES))
    changed = bytearray(path.read_bytes())
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(changed) - 1), st.integers(0, 255)), max_size=8)):
        changed[at] = value
    cut = data.draw(st.integers(0, len(changed)) | st.just(len(changed)))
    tool = data.draw(st.sampled_from(["describe_image", "resize_image", "read_qr", "audio_info"]))
    more = {"width": 30} if tool == "resize_image" else {}
    try:
        plugin.call(tool, data=base64_of(bytes(changed[:cut])), **more)
    except ToolFailed as failed:
        assert failed.code == "plugin_error", failed
