"""What a mail says to whoever opens it."""

from email.message import EmailMessage


def text_of(mail: EmailMessage) -> str:
    """Its plain text; where that is empty or not there, its HTML as it is."""
    parts = (mail.get_body((kind,)) for kind in ("plain", "html"))
    texts = (str(part.get_content()) for part in parts if part is not None)
    return next((text for text in texts if text.strip()), "")
