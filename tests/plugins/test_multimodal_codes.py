"""QR codes that segno made, as ``multimodal`` reads them."""

from __future__ import annotations

import io
from typing import Any

import pytest
import segno
from PIL import Image, ImageOps

from mcp_server.testing import Plugin
from mcp_server.testing.fixtures import LoadPlugin
from tests.plugins.pictures import COMPILED, base64_of, encoded, scene

pytestmark = pytest.mark.plugin("manifests/multimodal", limits=COMPILED)


def qr(text: str | bytes, scale: int = 4, **options: Any) -> Image.Image:
    buffer = io.BytesIO()
    segno.make_qr(text, **options).save(buffer, kind="png", scale=scale)
    return Image.open(buffer).convert("RGB")


def test_several_codes_in_one_picture_are_read(plugin: Plugin) -> None:
    page = Image.new("RGB", (900, 700), "white")
    page.paste(qr("first", error="h"), (40, 30))
    page.paste(qr("Grüße, 世界"), (500, 60))
    page.paste(qr("https://example.com/a?b=c", 6), (250, 380))
    told = plugin.call("read_qr", data=encoded(page, "PNG"))
    assert sorted(code["text"] for code in told["codes"]) == sorted(
        ["first", "Grüße, 世界", "https://example.com/a?b=c"]
    )
    first = next(code for code in told["codes"] if code["text"] == "first")
    assert first["error_correction"] == "H"
    assert all(30 < x < 160 and 20 < y < 160 for x, y in first["corners"]), first


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 133, 180, 270])
def test_turned_and_photographed_codes_are_read(load_plugin: LoadPlugin, angle: int) -> None:
    plugin = load_plugin(
        "manifests/multimodal",
        config={"max_megapixels": {"jpeg": 12}},
        limits={**COMPILED, "max_instructions": 4_000_000_000},
    )
    code = ImageOps.expand(qr("turned", 8), 60, "white").rotate(
        angle, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC
    )
    photo = Image.new("RGB", (1600, 1200), (170, 180, 175))
    photo.paste(code, (400, 250))
    told = plugin.call("read_qr", data=encoded(photo, "JPEG", quality=70))
    assert [found["text"] for found in told["codes"]] == ["turned"]


def test_light_codes_on_dark_are_read_and_pictures_without_codes_have_none(plugin: Plugin) -> None:
    told = plugin.call("read_qr", data=encoded(ImageOps.invert(qr("night")), "PNG"))
    assert [found["text"] for found in told["codes"]] == ["night"]
    assert plugin.call("read_qr", data=encoded(scene(400, 300), "JPEG"))["codes"] == []


def test_bytes_that_are_no_text_come_in_base64(plugin: Plugin) -> None:
    told = plugin.call("read_qr", data=encoded(qr(b"\xff\xfe\x00\x81"), "PNG"))
    assert [(found["text"], found["data"]) for found in told["codes"]] == [(None, base64_of(b"\xff\xfe\x00\x81"))]
