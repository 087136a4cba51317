"""Pictures, as ``multimodal`` sees them, beside Pillow."""

from __future__ import annotations

import io
import math
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from mcp_server.testing import Plugin, ToolFailed
from tests.plugins.pictures import COMPILED, MEDIA, base64_of, encoded, images, sample, scene

pytestmark = pytest.mark.plugin("manifests/multimodal", limits=COMPILED)
SEEN = {"PNG": 0.5, "JPEG": 4.0, "WEBP": 4.0}
"""By how many of 256 steps a resized picture may differ from Pillow's on average, by what it is encoded as."""


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures' channels."""
    left, right = (np.asarray(picture.convert("RGB"), dtype=float) for picture in (one, other))
    return float(np.abs(left - right).mean())


def bits_apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def hex_of(bits: Any) -> str:
    return f"{int(''.join('1' if bit else '0' for bit in np.asarray(bits).flatten()), 2):016x}"


def dhash(picture: Image.Image) -> str:
    """As the package ImageHash defines it."""
    grid = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS), dtype=int)
    return hex_of(grid[:, 1:] > grid[:, :-1])


def phash(picture: Image.Image) -> str:
    """As the package ImageHash defines it."""
    grid = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.LANCZOS), dtype=float)
    steps = np.arange(32)
    waves = np.cos(np.pi * np.outer(steps, 2 * steps + 1) / 64)
    low = (waves @ grid @ waves.T)[:8, :8]
    return hex_of(low > np.median(low))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_a_png_of_every_kind_is_seen_as_pillow_sees_it(plugin: Plugin, mode: str) -> None:
    picture = scene(300, 200).convert(mode)
    told, shown = images(plugin, "describe_image", data=encoded(picture, "PNG"), media_type="image/png")
    assert (told["width"], told["height"], told["upright"]) == (300, 200, [300, 200])
    assert told["has_alpha"] == ("A" in mode)
    expected = ImageOps.contain(picture.convert("RGB"), (256, 256), Image.Resampling.LANCZOS)
    assert shown[0].size == expected.size == tuple(told["look"]["thumbnail"])
    assert difference(shown[0], expected) < (10 if mode in {"P", "1"} else 6)  # dither is hard on JPEG


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 90}),
        ("JPEG", {"quality": 90, "progressive": True}),
        ("WEBP", {"quality": 90}),
        ("WEBP", {"lossless": True}),
        ("PNG", {}),
        ("GIF", {}),
    ],
)
def test_hashes_and_thumbnails_are_those_of_pillow(plugin: Plugin, kind: str, options: dict[str, Any]) -> None:
    data = encoded(scene(600, 440), kind, **options)
    picture = Image.open(io.BytesIO(b64decode(data))).convert("RGB")
    told, shown = images(plugin, "describe_image", data=data, thumbnail=200)
    assert bits_apart(told["look"]["dhash"], dhash(picture)) <= 2
    assert bits_apart(told["look"]["phash"], phash(picture)) <= 2
    expected = ImageOps.contain(picture, (200, 200), Image.Resampling.LANCZOS)
    assert shown[0].size == expected.size
    assert difference(shown[0], expected) < 4


def test_dominant_colours_are_those_that_were_painted(plugin: Plugin) -> None:
    picture = Image.new("RGB", (400, 300), (20, 60, 160))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 399, 89), fill=(250, 240, 230))
    draw.rectangle((300, 200, 399, 299), fill=(200, 30, 30))
    colors, counts = np.unique(np.asarray(picture).reshape(-1, 3), axis=0, return_counts=True)
    counted = {f"#{bytes(color).hex()}": count / 120_000 for color, count in zip(colors, counts, strict=True)}
    told = plugin.call("describe_image", data=encoded(picture, "PNG"), thumbnail=0)["look"]["colors"]
    assert {color["hex"] for color in told} == set(counted)
    assert all(abs(color["share"] - counted[color["hex"]]) < 0.01 for color in told)


def test_dominant_colours_of_a_scene_are_near_pillows_palette(plugin: Plugin) -> None:
    picture = scene(800, 600)
    told = plugin.call("describe_image", data=encoded(picture, "PNG"), thumbnail=0, colors=4)["look"]["colors"]
    quantized = picture.quantize(12, Image.Quantize.MEDIANCUT).convert("RGB")
    palette = np.unique(np.asarray(quantized).reshape(-1, 3), axis=0).tolist()
    for color in told:
        seen = [int(color["hex"][at : at + 2], 16) for at in (1, 3, 5)]
        assert min(math.dist(seen, other) for other in palette) < 45, (color, palette)


def test_exif_is_told(plugin: Plugin) -> None:
    told = plugin.call("describe_image", data=sample("photo.jpg"))
    assert (told["width"], told["height"], told["upright"]) == (96, 64, [64, 96])
    assert told["exif"] == {
        "orientation": 6,
        "make": "Acme",
        "model": "Cam 1",
        "lens": None,
        "software": None,
        "taken": "2024-05-01T12:30:00",
        "exposure_time": "1/250",
        "f_number": 2.8,
        "iso": 200,
        "focal_length_mm": None,
        "gps": {"latitude": 52.52, "longitude": 13.405, "altitude_m": None},
    }


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_are_turned_upright_as_pillow_turns_them(plugin: Plugin, orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(scene(240, 160), kind, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(b64decode(data))))
    told, shown = images(plugin, "resize_image", data=data, width=100, height=100, format="png")
    expected = ImageOps.contain(upright, (100, 100), Image.Resampling.LANCZOS)
    assert told["orientation_applied"] == orientation
    assert shown[0].size == expected.size == (told["width"], told["height"])
    assert difference(shown[0], expected) < SEEN[kind]


@pytest.mark.parametrize("fit", ["inside", "cover", "exact"])
def test_every_fit_is_pillows(plugin: Plugin, fit: str) -> None:
    picture, box = scene(640, 400), (120, 120)
    ways = {"inside": ImageOps.contain, "cover": ImageOps.fit, "exact": Image.Image.resize}
    expected = ways[fit](picture, box, Image.Resampling.LANCZOS)
    arguments = {"width": 120, "height": 120, "fit": fit}
    _, shown = images(plugin, "resize_image", data=encoded(picture, "PNG"), **arguments)
    assert shown[0].size == expected.size
    assert difference(shown[0], expected) < 2.5


def test_transparent_pictures_stay_so_and_become_white_in_jpeg(plugin: Plugin) -> None:
    picture = Image.new("RGBA", (80, 40), (255, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((40, 0, 79, 39), fill=(0, 0, 255, 255))
    _, shown = images(plugin, "resize_image", data=encoded(picture, "WEBP", lossless=True), width=40)
    assert shown[0].mode == "RGBA"
    assert shown[0].getpixel((5, 5))[3] == 0  # type: ignore[index]  # pyright: ignore[reportIndexIssue, reportOptionalSubscript]
    _, shown = images(plugin, "resize_image", data=encoded(picture, "PNG"), width=40, format="jpeg")
    assert min(shown[0].getpixel((5, 5))) > 245  # type: ignore[type-var,arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("name", "animation"),
    [
        ("moving.gif", {"frames": 3, "duration_ms": 300, "loops": None}),
        ("moving.webp", {"frames": 3, "duration_ms": 300, "loops": 2}),
        ("moving.png", {"frames": 3, "duration_ms": None, "loops": 2}),
        ("alpha.png", None),
    ],
)
def test_animations_are_told(plugin: Plugin, name: str, animation: dict[str, Any] | None) -> None:
    assert plugin.call("describe_image", data=sample(name))["animation"] == animation


def test_cmyk_looks_as_in_pillow(plugin: Plugin) -> None:
    told, shown = images(plugin, "describe_image", data=sample("cmyk.jpg"))
    assert told["color_type"] == "cmyk"
    assert difference(shown[0], Image.open(MEDIA / "cmyk.jpg")) < 4


def test_a_contradicted_media_type_and_foreign_data_are_named(plugin: Plugin) -> None:
    for tool, arguments, words in [
        ("describe_image", {"data": sample("gray.png"), "media_type": "image/jpeg"}, "the data is image/png"),
        ("describe_image", {"data": base64_of(b"%PDF-1.7")}, "a PDF document"),
        ("describe_image", {"data": sample("tone.wav")}, "Use audio_info"),
        ("audio_info", {"data": sample("gray.png")}, "Use describe_image"),
        ("read_qr", {"data": "data:image/png;base64,aaaa"}, "without a 'data:' prefix"),
        ("read_qr", {}, "Neither data nor path"),
    ]:
        with pytest.raises(ToolFailed, match=words) as caught:
            plugin.call(tool, arguments)
        assert caught.value.code == "plugin_error"


def test_pictures_with_too_many_pixels_are_described_by_their_head_alone(plugin: Plugin) -> None:
    bomb = encoded(Image.new("1", (30_000, 30_000)), "PNG")
    assert len(bomb) < 200_000
    told = plugin.call("describe_image", data=bomb)
    assert (told["width"], told["look"]) == (30_000, None)
    assert "900.0 million" in told["note"]
    for tool in ("read_qr", "resize_image"):
        with pytest.raises(ToolFailed, match="900.0 million"):
            plugin.call(tool, data=bomb, **({"width": 10} if tool == "resize_image" else {}))
