"""The plugin ``multimodal`` beside Pillow, segno and the standard library's ``wave``.

The files of ``media/`` were made once by Pillow and ffmpeg; ``media/README.md`` says how.
"""

from __future__ import annotations

import io
import math
import struct
import wave
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from mcp_server.testing import Plugin, ToolFailed
from mcp_server.testing.fixtures import LoadPlugin

pytestmark = pytest.mark.plugin("manifests/multimodal")
MEDIA = Path(__file__).parent / "media"
SAMPLES = sorted(path for path in MEDIA.iterdir() if path.suffix != ".md")
SEEN = {"PNG": 0.5, "JPEG": 4.0, "WEBP": 4.0}
"""By how many of 256 steps a resized picture may differ from Pillow's on average, by what it is encoded as."""


def base64_of(data: bytes) -> str:
    return b64encode(data).decode()


def sample(name: str) -> str:
    return base64_of((MEDIA / name).read_bytes())


def encoded(picture: Image.Image, kind: str, **options: Any) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return base64_of(buffer.getvalue())


def scene(width: int, height: int) -> Image.Image:
    """A landscape: slopes of colour, edges and grain."""
    rows, columns = np.mgrid[0:height, 0:width]
    grain = np.random.default_rng(7).normal(0, 6, (height, width))
    red = 90 + 110 * np.sin(columns / width * 3.0) + grain
    green = 40 + 170 * (rows / height) + grain
    blue = np.where(rows > height * 0.6, 60, 200) + 20 * np.cos(columns / 9) + grain
    picture = Image.fromarray(np.dstack([red, green, blue]).clip(0, 255).astype(np.uint8))
    ImageDraw.Draw(picture).ellipse((width // 6, height // 6, width // 2, height // 2), fill=(240, 220, 60))
    return picture


def images(plugin: Plugin, tool: str, **arguments: Any) -> tuple[Any, list[Image.Image]]:
    """The structure and the pictures of an answer."""
    result = plugin.result(tool, arguments)
    shown = [block for block in result.content if block["type"] == "image"]
    pictures = [Image.open(io.BytesIO(b64decode(block["data"]))) for block in shown]
    assert [picture.get_format_mimetype() for picture in pictures] == [block["mimeType"] for block in shown]
    return result.structured, pictures


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
    assert difference(shown[0], expected) < 6


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
    data = encoded(scene(1500, 1100), kind, **options)
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
    counted = {f"#{r:02x}{g:02x}{b:02x}": count / 120_000 for count, (r, g, b) in picture.getcolors() or []}
    told = plugin.call("describe_image", data=encoded(picture, "PNG"), thumbnail=0)["look"]["colors"]
    assert {color["hex"] for color in told} == set(counted)
    assert all(abs(color["share"] - counted[color["hex"]]) < 0.01 for color in told)


def test_dominant_colours_of_a_scene_are_near_pillows_palette(plugin: Plugin) -> None:
    picture = scene(800, 600)
    told = plugin.call("describe_image", data=encoded(picture, "PNG"), thumbnail=0, colors=4)["look"]["colors"]
    palette = picture.quantize(12, Image.Quantize.MEDIANCUT).convert("RGB").getcolors() or []
    for color in told:
        seen = [int(color["hex"][at : at + 2], 16) for at in (1, 3, 5)]
        assert min(math.dist(seen, other) for _, other in palette) < 45, (color, palette)


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


def qr(text: str | bytes, scale: int = 4, **options: Any) -> Image.Image:
    buffer = io.BytesIO()
    segno.make(text, **options).save(buffer, kind="png", scale=scale)
    return Image.open(buffer).convert("RGB")


def test_several_codes_in_one_picture_are_read(plugin: Plugin) -> None:
    page = Image.new("RGB", (900, 700), "white")
    page.paste(qr("first", error="h"), (40, 30))
    page.paste(qr("Grüße, 世界"), (500, 60))
    page.paste(qr("https://example.com/a?b=c", 6), (250, 380))
    told = plugin.call("read_qr", data=encoded(page, "PNG"))
    assert sorted(code["text"] for code in told["codes"]) == sorted(["first", "Grüße, 世界", "https://example.com/a?b=c"])
    first = next(code for code in told["codes"] if code["text"] == "first")
    assert first["error_correction"] == "H"
    assert all(30 < x < 160 and 20 < y < 160 for x, y in first["corners"]), first


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 133, 180, 270])
def test_turned_and_photographed_codes_are_read(plugin: Plugin, angle: int) -> None:
    code = ImageOps.expand(qr("turned", 8), 60, "white").rotate(angle, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
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


def sine(seconds: float, rate: int, channels: int, width: int, loud: float = 0.5) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        top = (1 << (8 * width - 1)) - 1
        values = [int(top * loud * math.sin(index / rate * 2764.6)) for index in range(int(seconds * rate))]
        form = {1: "B", 2: "<h", 4: "<i"}[width]
        file.writeframes(b"".join(struct.pack(form, value + (128 if width == 1 else 0)) * channels for value in values))
    return buffer.getvalue()


@pytest.mark.parametrize(("rate", "channels", "width"), [(8000, 1, 1), (44100, 2, 2), (48000, 1, 4)])
def test_a_wav_is_what_the_standard_library_wrote(plugin: Plugin, rate: int, channels: int, width: int) -> None:
    data = sine(0.5, rate, channels, width)
    told, shown = images(plugin, "audio_info", data=base64_of(data), media_type="audio/wav")
    track = told["tracks"][0]
    with wave.open(io.BytesIO(data)) as file:
        assert told["duration_s"] == pytest.approx(file.getnframes() / rate, abs=1e-3)
        assert (track["sample_rate"], track["channels"]) == (file.getframerate(), file.getnchannels())
        assert track["bits_per_sample"] == 8 * file.getsampwidth()
    assert told["bit_rate"] == pytest.approx(rate * channels * width * 8, rel=0.02)
    assert told["waveform"]["peak"] == pytest.approx(0.5, abs=0.02)
    ink = np.asarray(shown[0].convert("L")) < 128
    assert shown[0].size == (512, 128)
    assert ink.any(axis=0).all()
    assert 60 <= ink.any(axis=1).sum() <= 68  # half of full scale


@pytest.mark.parametrize(
    ("name", "codec", "rate", "channels", "seconds"),
    [
        ("tone.mp3", "mp3", 22050, 2, 2.0),
        ("tone.flac", "flac", 22050, 1, 2.0),
        ("tone.ogg", "vorbis", 22050, 1, 2.0),
        ("tone.opus", "opus", 48000, 1, 2.0),
        ("tone.wav", "pcm_s16le", 8000, 2, 0.3),
    ],
)
def test_sounds_are_told(plugin: Plugin, name: str, codec: str, rate: int, channels: int, seconds: float) -> None:
    told, shown = images(plugin, "audio_info", data=sample(name))
    track = told["tracks"][0]
    assert (track["kind"], track["codec"], track["sample_rate"], track["channels"]) == ("audio", codec, rate, channels)
    assert told["duration_s"] == pytest.approx(seconds, abs=0.06)
    decodes = codec != "opus"
    assert (len(shown) == 1, told["note"] is None) == (decodes, decodes)


def test_tags_have_the_same_names_in_every_container(plugin: Plugin) -> None:
    for name in ("tone.mp3", "tone.flac", "tone.ogg", "tone.wav"):
        tags = {tag["name"]: tag["value"] for tag in plugin.call("audio_info", data=sample(name), waveform=False)["tags"]}
        assert tags["title"] == "A tone", name
        assert name == "tone.wav" or tags["artist"] == "Nobody", name
    tags = plugin.call("audio_info", data=sample("tone.mp3"))["tags"]
    told = {(tag["name"], tag["value"]) for tag in tags}
    assert {("album", "Tests"), ("date", "2024"), ("track", "3"), ("tracks", "12")} <= told


@pytest.mark.parametrize(("name", "video", "audio"), [("clip.mp4", "h264", "aac"), ("clip.webm", "vp8", "opus")])
def test_films_are_told(plugin: Plugin, name: str, video: str, audio: str) -> None:
    told = plugin.call("audio_info", data=sample(name))
    assert [(track["kind"], track["codec"]) for track in told["tracks"]] == [("video", video), ("audio", audio)]
    assert (told["tracks"][0]["width"], told["tracks"][0]["height"]) == (160, 120)
    assert told["duration_s"] == pytest.approx(2.0, abs=0.1)


def granted(folder: Path) -> dict[str, Any]:
    roots = [{"name": "media", "folder": str(folder), "mode": "read"}]
    return {"capabilities": ["FileSystemAccess"], "filesystem": {"roots": roots}}


def test_a_granted_file_gives_the_same_answer_by_its_path(load_plugin: LoadPlugin) -> None:
    plugin = load_plugin("manifests/multimodal", grants=granted(MEDIA))
    for path in SAMPLES:
        tool = "describe_image" if path.suffix in {".png", ".jpg", ".gif", ".webp"} else "audio_info"
        assert plugin.call(tool, path=f"media/{path.name}") == plugin.call(tool, data=sample(path.name))


def test_of_a_large_file_only_parts_are_read(load_plugin: LoadPlugin, tmp_path: Path) -> None:
    data = (MEDIA / "clip.mp4").read_bytes()
    with (tmp_path / "long.mp4").open("wb") as file:  # a hole of 3 GB before the facts, as cameras leave the film
        at = data.index(b"mdat") - 4
        size = int.from_bytes(data[at : at + 4], "big")
        assert data.index(b"moov") > at
        file.write(data[:at] + struct.pack(">I4sQ", 1, b"mdat", 3 << 30))
        file.seek(at + (3 << 30))
        file.write(data[at + size :])
    plugin = load_plugin("manifests/multimodal", grants=granted(tmp_path))
    told = plugin.call("audio_info", path="media/long.mp4")
    assert [track["codec"] for track in told["tracks"]] == ["h264", "aac"]
    assert "at most 10485760 are read" in told["note"]
    assert sum(call.request.get("limit", 0) for call in plugin.host_calls) < 1 << 20


def test_files_need_a_grant_and_stay_in_it(plugin: Plugin, load_plugin: LoadPlugin) -> None:
    with pytest.raises(ToolFailed, match="FileSystemAccess, which is not granted"):
        plugin.call("describe_image", path="media/photo.jpg")
    allowed = load_plugin("manifests/multimodal", grants=granted(MEDIA))
    for path in ("media/../secret.png", "elsewhere/photo.jpg", "media/none.jpg"):
        with pytest.raises(ToolFailed) as caught:
            allowed.call("describe_image", path=path)
        assert caught.value.code == "plugin_error"


def test_the_pixel_budget_is_the_operators(load_plugin: LoadPlugin) -> None:
    small = load_plugin("manifests/multimodal", config={"pixel_budget": 0.01})
    told = small.call("describe_image", data=encoded(scene(1000, 700), "PNG"))
    assert told["look"] is None
    assert "at most 0.1 million" in told["note"]


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
