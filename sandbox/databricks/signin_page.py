"""The page on which one chooses who to be; plain on purpose, so that nobody types a password into it."""

import html
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from sandbox import people
from sandbox.databricks import accounts

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; background: #f6f7f9; color: #1b1f24; margin: 0; display: grid;
  place-items: center; min-height: 100vh }
main { background: #fff; border: 1px solid #dfe3e8; border-radius: 12px; padding: 32px; width: min(420px, 90vw) }
h1 { font-size: 22px; margin: 0 0 4px } h1 small { color: #ff3621; font-weight: 600; font-size: 15px }
p { color: #5a6472; margin: 4px 0 16px } ul { list-style: none; padding: 0; margin: 0 }
li a { display: flex; gap: 12px; align-items: center; padding: 10px; border-radius: 8px; color: inherit;
  text-decoration: none } li a:hover, li a:focus { background: #eef1f5 }
b { display: block; font-weight: 600 } span { color: #5a6472; font-size: 14px }
i { width: 36px; height: 36px; border-radius: 50%; color: #fff; font-style: normal; font-weight: 600; flex: none;
  display: grid; place-items: center } .cancel { display: block; margin-top: 16px; color: #5a6472 }
"""


def choose_person(query: Mapping[str, str], *, scopes: Iterable[str]) -> str:
    """The page for an authorize request; each person is a link back to it with ``login_as``."""
    entries = "".join(_entry(query, account) for account in accounts.PEOPLE)
    scope_list = html.escape(", ".join(scopes))
    cancel = html.escape("?" + urlencode({**query, "deny": "1"}))
    body = (
        "<h1>Sign in to Databricks <small>sandbox</small></h1>"
        f"<p><strong>{html.escape(query.get('client_id', ''))}</strong> asks for: {scope_list}. Who are you?</p>"
        f'<ul>{entries}</ul><a class="cancel" href="{cancel}">Cancel</a>'
    )
    return _page("Sign in to Databricks (sandbox)", body)


def refusal(error: str, description: str) -> str:
    """The page for a request that cannot be sent back to its client."""
    body = f"<h1>{html.escape(error)}</h1><p>{html.escape(description)}</p>"
    return _page("Databricks (sandbox): request refused", body)


def _entry(query: Mapping[str, str], account: accounts.Account) -> str:
    href = html.escape("?" + urlencode({**query, "login_as": account.name}))
    color = next(person.color for person in people.PEOPLE if person.name == account.name)
    initials = "".join(word[0] for word in account.display_name.split())
    return (
        f'<li><a href="{href}"><i style="background:{color}">{html.escape(initials)}</i>'
        f"<div><b>{html.escape(account.display_name)}</b><span>{html.escape(account.user_name)}</span></div></a></li>"
    )


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )
