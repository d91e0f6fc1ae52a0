"""Programs that the tests start end with the tests, even where those are killed."""

import shutil
from collections.abc import Sequence
from pathlib import Path

#: Of util-linux. Where it is missing (macOS), what is started ends with the fixture that started it.
SETPRIV = shutil.which("setpriv")


def mortal(command: Sequence[str | Path], end_signal: str) -> list[str | Path]:
    """The command; it gets the signal ("INT", say) when the thread that starts it ends, however that ends."""
    return [SETPRIV, "--pdeathsig", end_signal, *command] if SETPRIV else list(command)
