"""An operator's colour as pages may use it: whatever it is, text on it and in it can be read."""

from __future__ import annotations

import re

BRAND = "#1d4ed8"
"""The colour of an operator that has named none."""

READABLE = 4.5
"""The contrast that text needs: WCAG 2.2, success criterion 1.4.3."""

INK, PAPER = "#111827", "#ffffff"

GROUND = "#eef1f6"
"""The darkest ground on which text in the brand's colour stands (portal.css)."""

_HEX = re.compile(r"#[0-9a-f]{6}")

Rgb = tuple[int, int, int]


def is_colour(text: str) -> bool:
    """Whether text is a colour as settings write it: `#` and six lower-case hexadecimal digits."""
    return _HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white), as WCAG 2.2 defines it."""
    light, dark = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def text_on(colour: str) -> str:
    """White or nearly black: white wherever it can be read, as on buttons of most brands."""
    if contrast(PAPER, colour) >= READABLE:
        return PAPER
    return INK if contrast(INK, colour) >= READABLE else "#000000"


def readable(colour: str, ground: str) -> str:
    """The colour itself if text in it can be read on a light ground, else as much darker."""
    steps = (_darker(colour, percent) for percent in range(0, 100, 5))
    return next((one for one in steps if contrast(one, ground) >= READABLE), INK)


def stylesheet(colour: str = "") -> str:
    """What `/brand.css` says: the operator's colour, what is written on it, and links in it."""
    brand = colour if is_colour(colour) else BRAND
    return (
        ":root {\n"
        f"  --hansa-brand: {brand};\n"
        f"  --hansa-brand-text: {text_on(brand)};\n"
        f"  --hansa-brand-ink: {readable(brand, GROUND)};\n"
        "}\n"
    )


def _rgb(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(rgb: Rgb) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in rgb)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _darker(colour: str, percent: int) -> str:
    return "#" + "".join(f"{part * (100 - percent) // 100:02x}" for part in _rgb(colour))
