"""Codes that telephones read (QR, ISO/IEC 18004), as SVG in the page: no style, no file, no other site."""

import segno
from markupsafe import Markup


def qr_code(text: str) -> Markup | None:
    """Black on white, in the dark too, since many telephones read nothing else; None where the text is too long."""
    try:
        code = segno.make_qr(text)
    except segno.DataOverflowError:
        return None
    drawing = code.svg_inline(svgclass=None, lineclass=None, omitsize=True, dark="#000", light="#fff")
    return Markup(drawing)  # noqa: S704 - numbers alone: of the text nothing is in the markup
