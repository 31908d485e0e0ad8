"""Renders an image as WebP. Run as a program, it has limits on memory and time, so that only it fails.

The program reads the image from standard input. It writes one line of JSON with lengths, then the bytes.
"""

import io
import json
import resource
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pillow_heif
from PIL import Image, ImageCms, ImageOps

MOST_PIXELS = 120_000_000  # phone cameras have up to 108 million
MOST_MEMORY = 2 * 1024**3  # bytes of address space
MOST_CPU = 20  # seconds
MOST_TIME = 40  # seconds on the clock
VIEW, THUMBNAIL = 2000, 480  # the longer side in pixels
LOSSLESS_BYTES = 700_000  # a screenshot up to this size is lossless, so that its text stays sharp
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "HEIF")
DRAWN = ("PNG", "GIF")  # formats of screenshots rather than photographs
ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tickets.files.rendering"]
SRGB = ImageCms.createProfile("sRGB")


class NotAPicture(ValueError):
    """The image can't be rendered within the limits."""


@dataclass(frozen=True)
class Rendition:
    """Width and height of the large image in pixels, and WebP in two sizes."""

    width: int
    height: int
    view: bytes
    thumbnail: bytes


def render(content: bytes) -> Rendition:
    """Renders in a subprocess. Raises NotAPicture."""
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours
            COMMAND, input=content, capture_output=True, timeout=MOST_TIME, check=True, cwd=ROOT
        )
        head, _newline, rest = done.stdout.partition(b"\n")
        figures = json.loads(head)
        size = figures["view"]
        return Rendition(figures["width"], figures["height"], rest[:size], rest[size:])
    except (subprocess.SubprocessError, ValueError, KeyError) as error:
        raise NotAPicture from error


def draw(content: bytes) -> Rendition:
    """Renders the first frame in this process. Raises the errors of Pillow."""
    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None  # MOST_PIXELS is checked before decoding
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise NotAPicture("It has too many pixels.")
        image.draft("RGB", (VIEW, VIEW))
        is_drawn = image.format in DRAWN
        view = _in_srgb(ImageOps.exif_transpose(image))
    view.thumbnail((VIEW, VIEW))
    small = view.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return Rendition(view.width, view.height, _encoded(view, is_drawn), _encoded(small, is_drawn))


def _in_srgb(image: Image.Image) -> Image.Image:
    """Converts the image to sRGB with its colour profile, in a mode that WebP supports."""
    profile = image.info.get("icc_profile")
    is_transparent = image.has_transparency_data
    if profile and image.mode in ("RGB", "CMYK", "L"):
        with suppress(ImageCms.PyCMSError, OSError):  # treat an image with a broken profile as sRGB
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
    return image.convert("RGBA" if is_transparent else "RGB")


def _encoded(image: Image.Image, is_drawn: bool) -> bytes:
    """Encodes as WebP. Pillow drops EXIF, XMP and the colour profile unless they are passed."""
    for options in ({"lossless": True}, {"quality": 82}) if is_drawn else ({"quality": 82},):
        out = io.BytesIO()
        image.save(out, "WEBP", method=4, exif=b"", xmp=b"", icc_profile=b"", **options)
        if "quality" in options or out.tell() <= LOSSLESS_BYTES:
            break
    return out.getvalue()


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU, MOST_CPU))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> None:
    limit()
    drawn = draw(sys.stdin.buffer.read())
    head = {"width": drawn.width, "height": drawn.height, "view": len(drawn.view)}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + drawn.view + drawn.thumbnail)


if __name__ == "__main__":
    main()
