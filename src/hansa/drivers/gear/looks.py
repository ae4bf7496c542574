"""Commands of an operator's own that say whether all is well with a device after a change."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable, Sequence

from hansa.foundation.errors import Refused
from hansa.foundation.readings import Check

WORDS_MAX = 200


def read(texts: Sequence[str]) -> Sequence[Sequence[str]]:
    """Commands as they are typed; no shell sees them. Raises Refused `command-unreadable`."""
    found = []
    for text in texts:
        try:
            words = shlex.split(text)
        except ValueError:
            words = []
        if not words:
            raise Refused(
                "command-unreadable",
                f"{text!r} is no command; write it as 'ping -c 3 10.60.0.1'.",
                field="verify",
            )
        found.append(words)
    return found


def looks(commands: Sequence[Sequence[str]], *, within_s: float) -> Callable[[], Sequence[Check]]:
    """Has each run in turn, all of them within a time; what ends with status 0 is well."""

    def look() -> Sequence[Check]:
        until = time.monotonic() + within_s
        return [_look(words, until - time.monotonic()) for words in commands]

    return look


def _look(words: Sequence[str], timeout_s: float) -> Check:
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=max(0.0, timeout_s),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        said = "too late" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        return Check(shlex.join(words), "status 0", said[:WORDS_MAX], ok=False)
    return Check(shlex.join(words), "status 0", f"status {done.returncode}", done.returncode == 0)
