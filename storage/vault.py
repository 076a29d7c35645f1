"""Secrets at rest: Fernet with several keys, each sealed value saying which key opens it.

A sealed value is eight characters that name the key, a dot, and a Fernet token. The name lets a row be recognised
as old or as unreadable without opening it, which plain ``MultiFernet`` cannot tell apart from damage.
"""

import binascii
import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken

from storage.errors import InvalidKeyError, SealedWithUnknownKeyError

KEY_ID_LENGTH = 8  # hexadecimal characters of the key's SHA-256


class Vault:
    """Seals with the newest key, opens with whichever sealed. ``keys`` are Fernet keys, newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise InvalidKeyError("there is none")
        self._ciphers = {_key_id(key): _cipher(key, number) for number, key in enumerate(keys, start=1)}
        self.current_key_id = _key_id(keys[0])

    @staticmethod
    def generate_key() -> str:
        """A new random key, in the form that a setting takes."""
        return Fernet.generate_key().decode()

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The names of the keys that can open something, newest first."""
        return tuple(self._ciphers)

    def seal(self, plain: str) -> bytes:
        """Encrypt with the newest key."""
        return (
            self.current_key_id.encode() + b"." + self._ciphers[self.current_key_id].encrypt(plain.encode())
        )

    def open(self, sealed: bytes) -> str:
        """Decrypt; ``SealedWithUnknownKeyError`` when no configured key fits or the value is damaged."""
        key_id, _, token = sealed.partition(b".")
        cipher = self._ciphers.get(key_id.decode("ascii", "replace"))
        if cipher is None:
            raise SealedWithUnknownKeyError
        try:
            return cipher.decrypt(token).decode()
        except InvalidToken as error:
            raise SealedWithUnknownKeyError("or the value is damaged") from error

    def is_current(self, sealed: bytes) -> bool:
        """Whether the newest key sealed this."""
        return sealed.partition(b".")[0] == self.current_key_id.encode()


def _key_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:KEY_ID_LENGTH]


def _cipher(key: str, number: int) -> Fernet:
    try:
        return Fernet(key)
    except (ValueError, binascii.Error) as error:
        raise InvalidKeyError(f"key number {number} is not 32 bytes in URL-safe base64") from error
