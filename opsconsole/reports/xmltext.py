"""What every JUnit document does in the same way: text that XML allows, seconds, the document written out."""

import re
from xml.etree import ElementTree as Xml

from opsconsole.reports.wording import clean, one_line

_NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


def seconds(seconds: float) -> str:
    """`1.200`."""
    return f"{max(0.0, seconds):.3f}"


def attribute(text: str) -> str:
    """On one line, without characters that XML does not allow."""
    return element_text(one_line(text))


def element_text(text: str) -> str:
    """Without characters that XML does not allow."""
    return _NO_XML.sub("\ufffd", clean(text))


def written(root: Xml.Element) -> str:
    """The whole document, indented."""
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'
