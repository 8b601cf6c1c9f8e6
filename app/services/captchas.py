"""The code to copy: six figures, seen or heard, made here without an outside service (ORG-7, SEC-4).

Figures only, so that picture and voice say the same thing in the three languages and on every keyboard.
"""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from captcha.audio import AudioCaptcha

LENGTH = 6
LANGUAGES = ("fr", "ar", "en")
VOICES = Path(__file__).resolve().parent.parent / "data" / "voices"
_GAP = 5_600  # samples of 8 kHz between two figures: 0.7 s
_QUIET = 4  # level of the hiss under the voice


def new_code() -> str:
    """Six random figures."""
    return "".join(secrets.choice("0123456789") for _i in range(LENGTH))


def matches(code: str | None, typed: str) -> bool:
    """Is it the code, typed with or without spaces, in figures of any script?"""
    digits = "".join(str(unicodedata.digit(char)) for char in typed if unicodedata.category(char) == "Nd")
    return bool(code) and secrets.compare_digest(code or "", digits)


def image(code: str) -> bytes:
    """A PNG of 240 × 80 pixels."""
    from captcha.image import ImageCaptcha

    drawn = ImageCaptcha(width=240, height=80)
    # Dark on nearly white whatever the theme: a random pale ink was unreadable for people, not for machines.
    red, green, blue = (20 + secrets.randbelow(70) for _i in range(3))
    return drawn.generate(code, bg_color=(246, 248, 249), fg_color=(red, green, blue, 255)).getvalue()


def audio(code: str, language: str) -> bytes:
    """A WAV that says the figures in the person's language, French where there is no voice for it."""
    return bytes(_speaker(language if language in LANGUAGES else "fr").generate(code))


@cache
def _speaker(language: str) -> AudioCaptcha:
    from captcha import audio as library

    class Speaker(library.AudioCaptcha):
        """The library's own background is other figures played backwards, as loud as the code: people fail it."""

        def create_wave_body(self, chars: str) -> bytearray:
            """The figures one after the other over a light hiss."""
            voices = [self._twist_pick(char) for char in chars]
            gaps = [_GAP + secrets.randbelow(_GAP // 2) for _voice in voices]
            body = library.create_noise(sum(map(len, voices)) + sum(gaps) + _GAP, _QUIET)
            position = _GAP
            for voice, gap in zip(voices, gaps, strict=True):
                end = position + len(voice)
                body[position:end] = library.mix_wave(voice, body[position:end])
                position = end + gap
            return bytearray(library.BEEP + library.SILENCE + body)

    # The library ships one English voice, recorded and clear; ours are made for the two other languages.
    speaker = Speaker(voicedir=library.DATA_DIR if language == "en" else str(VOICES / language))
    speaker.load()
    return speaker
