"""QR codes that segno made, as ``multimodal`` reads them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import segno
from PIL import Image, ImageDraw, ImageOps

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


def sheet(rows: int, columns: int, pitch: int) -> tuple[Image.Image, list[str]]:
    """Codes side by side, with a quiet zone between them, and what they say."""
    page = Image.new("RGB", (columns * pitch, rows * pitch), "white")
    texts = [f"https://example.com/item/{number}" for number in range(rows * columns)]
    for number, text in enumerate(texts):
        page.paste(qr(text), (number % columns * pitch, number // columns * pitch))
    return page, texts


@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (5, 7), (8, 8)])
def test_all_codes_of_a_sheet_are_read_within_the_limits_as_delivered(plugin: Plugin, rows: int, columns: int) -> None:
    page, texts = sheet(rows, columns, 136)
    told = plugin.call("read_qr", data=encoded(page, "PNG"))
    assert sorted(code["text"] for code in told["codes"]) == sorted(texts)
    assert (told["unreadable"], told["note"]) == (0, None)


def corner_patterns(pitch: int, module: int = 1) -> Image.Image:
    """A picture full of the squares that codes have in three of their corners."""
    rows, columns = np.mgrid[0:800, 0:800] % pitch // module
    ring = np.maximum(abs(rows - 3), abs(columns - 3))
    dark = (ring == 3) | (ring <= 1)
    return Image.fromarray(np.where(dark, 0, 255).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize(("pitch", "module"), [(8, 1), (16, 1), (18, 2), (32, 2), (60, 3), (150, 5), (160, 6)])
def test_a_picture_full_of_corner_patterns_has_an_answer(plugin: Plugin, pitch: int, module: int) -> None:
    told = plugin.call("read_qr", data=encoded(corner_patterns(pitch, module), "PNG"))
    assert told["codes"] == []


def test_a_code_among_many_corner_patterns_is_read(plugin: Plugin) -> None:
    page = corner_patterns(60, 3)
    page.paste(qr("needle"), (300, 300))
    assert [code["text"] for code in plugin.call("read_qr", data=encoded(page, "PNG"))["codes"]] == ["needle"]


def test_corner_patterns_of_other_shapes_are_no_fault(plugin: Plugin) -> None:
    page = Image.new("RGB", (400, 400), "white")
    pen = ImageDraw.Draw(page)
    for left, top in [(20, 20), (220, 20), (20, 220)]:
        pen.polygon([(left, top), (left + 140, top), (left, top + 140)], fill="black")
        pen.polygon([(left + 14, top + 14), (left + 106, top + 14), (left + 14, top + 106)], fill="white")
        pen.rectangle((left + 22, top + 22, left + 56, top + 56), fill="black")
    assert plugin.call("read_qr", data=encoded(page, "PNG"))["codes"] == []
