"""Telephone numbers sealed with a KMS key: who may read the table may still not read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waiting_room.domain.errors import Overloaded


class KmsCipher:
    """Seals and opens short texts. `context` must be the same for both, so that no text can be put elsewhere."""

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key

    def seal(self, text: str, context: Mapping[str, str]) -> bytes:
        """The text, encrypted; raises Overloaded."""
        try:
            answer = self._client.encrypt(KeyId=self._key, Plaintext=text.encode(), EncryptionContext=dict(context))
        except (ClientError, BotoCoreError):
            # Its message could repeat what was to be sealed.
            raise Overloaded("The number could not be kept safely just now.") from None
        sealed: bytes = answer["CiphertextBlob"]
        return sealed

    def open(self, sealed: bytes, context: Mapping[str, str]) -> str:
        """The text; raises Overloaded."""
        try:
            answer = self._client.decrypt(KeyId=self._key, CiphertextBlob=sealed, EncryptionContext=dict(context))
        except (ClientError, BotoCoreError):
            raise Overloaded("The number could not be read just now.") from None
        return bytes(answer["Plaintext"]).decode()
