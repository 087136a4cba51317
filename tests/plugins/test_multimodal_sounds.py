"""Sounds and films, as ``multimodal`` describes them; WAV files beside the standard library's ``wave``."""

from __future__ import annotations

import io
import math
import struct
import wave

import numpy as np
import pytest

from mcp_server.testing import Plugin
from tests.plugins.pictures import COMPILED, base64_of, images, sample

pytestmark = pytest.mark.plugin("manifests/multimodal", limits=COMPILED)


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
        tags = {
            tag["name"]: tag["value"] for tag in plugin.call("audio_info", data=sample(name), waveform=False)["tags"]
        }
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
