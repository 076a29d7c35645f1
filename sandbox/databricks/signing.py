"""JSON Web Tokens signed with ES256, and the key set to check them with (RFC 7515, RFC 7517)."""

import base64
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

_KEY_ID = "sandbox"
_SIZE = 32


class Signer:
    """A key of its own for each sandbox."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def sign(self, claims: Mapping[str, object]) -> str:
        """A compact token with these claims."""
        header = {"alg": "ES256", "typ": "JWT", "kid": _KEY_ID}
        signed = f"{_encoded(_json(header))}.{_encoded(_json(claims))}"
        signature = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(signature)
        return f"{signed}.{_encoded(r.to_bytes(_SIZE, 'big') + s.to_bytes(_SIZE, 'big'))}"

    def key_set(self) -> dict[str, object]:
        """The public key as a JWKS."""
        numbers = self._key.public_key().public_numbers()
        key = {
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": _KEY_ID,
            "x": _encoded(numbers.x.to_bytes(_SIZE, "big")),
            "y": _encoded(numbers.y.to_bytes(_SIZE, "big")),
        }
        return {"keys": [key]}


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
