"""``python -m bazar`` is the command ``bazar``."""

from bazar.cli import main

main()
