"""Who can sign in to the workspace: the sandbox's people (but no stranger), one shared user, one service principal."""

from dataclasses import dataclass
from typing import Literal

from sandbox import people

AccountKind = Literal["user", "service principal"]


@dataclass(frozen=True, kw_only=True)
class Account:
    """A principal of the workspace; ``user_name`` is the e-mail of a user, the application id of a service principal."""

    id: str
    name: str
    user_name: str
    display_name: str
    kind: AccountKind = "user"
    groups: tuple[str, ...] = ("users",)


#: Groups beyond ``users``, by the person's short name.
_EXTRA_GROUPS: dict[str, tuple[str, ...]] = {"ada": ("admins", "finance"), "cleo": ("finance",)}


def _of_person(person: people.Person, *, number: int) -> Account:
    return Account(
        id=str(4_410_000_000_000 + number),
        name=person.name,
        user_name=person.email,
        display_name=person.real_name,
        groups=("users", *_EXTRA_GROUPS.get(person.name, ())),
    )


PEOPLE = tuple(
    _of_person(person, number=number)
    for number, person in enumerate(people.PEOPLE, start=1)
    if person.role != "stranger"
)
SHARED = Account(
    id="4410000000100",
    name="shared",
    user_name="shared@brickfield.example",
    display_name="Shared development user",
)
SERVICE_PRINCIPAL = Account(
    id="4410000000200",
    name="bricklayer-app",
    user_name="5b2c1f0e-6f9d-4f0a-9d7e-0c1a5e2b7a11",
    display_name="bricklayer-app",
    kind="service principal",
)
EVERYONE = (*PEOPLE, SHARED, SERVICE_PRINCIPAL)


def find(name: str) -> Account:
    """The account with this short name, user name or id; ``KeyError`` when nobody has it."""
    for account in EVERYONE:
        if name.casefold() in {account.name, account.user_name.casefold(), account.id}:
            return account
    raise KeyError(name)
