"""The vault: what it seals, only its keys open."""

import pytest

from storage.errors import InvalidKeyError, SealedWithUnknownKeyError
from storage.vault import Vault

OLD, NEW = Vault.generate_key(), Vault.generate_key()


def test_what_is_sealed_opens_again() -> None:
    vault = Vault([NEW])
    assert vault.open(vault.seal("tökén")) == "tökén"


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    vault = Vault([NEW])
    assert vault.seal("token") != vault.seal("token")


def test_an_older_key_still_opens_and_is_recognised_as_old() -> None:
    sealed = Vault([OLD]).seal("token")
    rotated = Vault([NEW, OLD])
    assert rotated.open(sealed) == "token"
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.seal("token"))


def test_a_key_that_is_gone_is_named_as_the_reason() -> None:
    with pytest.raises(SealedWithUnknownKeyError, match="put the old key back"):
        Vault([NEW]).open(Vault([OLD]).seal("token"))


@pytest.mark.parametrize("damage", [b"", b"x", b"\xff\xfe.\x00"])
def test_what_was_never_sealed_does_not_open(damage: bytes) -> None:
    with pytest.raises(SealedWithUnknownKeyError):
        Vault([NEW]).open(damage)


def test_a_damaged_value_does_not_open() -> None:
    vault = Vault([NEW])
    with pytest.raises(SealedWithUnknownKeyError, match="damaged"):
        vault.open(vault.seal("token")[:-4])


@pytest.mark.parametrize("keys", [[], [""], ["too-short"], [NEW, "å" * 44], [NEW[:-1] + "*"]])
def test_a_malformed_key_is_refused_with_a_remedy_and_not_quoted(keys: list[str]) -> None:
    with pytest.raises(InvalidKeyError, match="generate-key") as caught:
        Vault(keys)
    assert NEW[:-1] not in str(caught.value)
