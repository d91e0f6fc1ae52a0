"""``python -m bazar`` is the command ``bazar``."""

from bazar.cli import main

if __name__ == "__main__":
    main()
