"""Files for the tests of ``multimodal``, made here or kept in ``media/``, and what its answers hold."""

from __future__ import annotations

import io
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from mcp_server.testing import Plugin

__all__ = ["COMPILED", "MEDIA", "SAMPLES", "base64_of", "encoded", "images", "sample", "scene"]

MEDIA = Path(__file__).parent / "media"
COMPILED = {"max_load_time_ms": 120_000}
"""2 MB take 4 s of processor to compile: on a machine with more to do, longer than the limit as delivered."""
SAMPLES = sorted(path for path in MEDIA.iterdir() if path.suffix != ".md")


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
    pictures: list[Image.Image] = [Image.open(io.BytesIO(b64decode(block["data"]))) for block in shown]
    assert [Image.MIME[picture.format or ""] for picture in pictures] == [block["mimeType"] for block in shown]
    return result.structured, pictures
