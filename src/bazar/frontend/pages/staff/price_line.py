"""The prices of a book as a line: a step for each change, since a price holds until the next one."""

from collections.abc import Sequence

WIDTH, HEIGHT = 600, 120
#: Above the highest and below the lowest price, so that the stroke is whole.
MARGIN = 6


def price_line(amounts: Sequence[int]) -> str:
    """The path (SVG 2, section 9.3) of at least one price, oldest first, in a box of WIDTH by HEIGHT."""
    low, high = min(amounts), max(amounts)
    room = HEIGHT - 2 * MARGIN

    def y(amount: int) -> float:
        # One price all the time is a line through the middle.
        return round(HEIGHT - MARGIN - room * ((amount - low) / (high - low) if high > low else 0.5), 1)

    step = WIDTH / len(amounts)
    rises = "".join(f" V{y(amount)} H{round((place + 1) * step, 1)}" for place, amount in enumerate(amounts[1:], 1))
    return f"M0 {y(amounts[0])} H{round(step, 1)}{rises}"
