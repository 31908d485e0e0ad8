"""Stand-in until the handler itself is here."""


def receive(raw: bytes, *, route: str, provider_id: str, envelope_sender: str, recipient: str) -> None:
    raise NotImplementedError
