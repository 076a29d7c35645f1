"""A browser with a person in front of it, that walks a sign-in page by page and remembers every page that it saw."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import yarl
from multidict import CIMultiDict

_MARKUP = re.compile(r"<style>.*?</style>|<[^>]+>", re.DOTALL)
_TOKEN = re.compile(r'name="token" value="([^"]+)"')


@dataclass(frozen=True, kw_only=True)
class Page:
    """An answer as it came; redirects are not followed by themselves."""

    url: str
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def words(self) -> str:
        """What a person reads."""
        return " ".join(html.unescape(_MARKUP.sub(" ", self.text)).split())

    @property
    def token(self) -> str:
        """What the confirmation's form sends back; LookupError on other pages."""
        found = _TOKEN.search(self.text)
        if found is None:
            raise LookupError(f"no form on the page: {self.words}")
        return html.unescape(found[1])

    @property
    def location(self) -> str:
        """Where the browser is sent; LookupError when it is not."""
        if "Location" not in self.headers:
            raise LookupError(f"no redirect but {self.status}: {self.words}")
        return self.headers["Location"]


@dataclass(kw_only=True)
class Browser:
    """``account`` is who is signed in to Databricks here; ``proxy`` are headers that a proxy in front of us adds."""

    account: str
    proxy: Sequence[tuple[str, str]] = ()
    pages: list[Page] = field(default_factory=list)
    jar: aiohttp.CookieJar = field(default_factory=lambda: aiohttp.CookieJar(unsafe=True))

    async def get(self, url: str, *, method: str = "GET") -> Page:
        """Open an address."""
        return await self._ask(method, url, {})

    async def post(self, url: str, form: Mapping[str, str]) -> Page:
        """Send a form."""
        return await self._ask("POST", url, form)

    async def agree(self, started: Page, **instead: str) -> str:
        """Say yes on Databricks' page that ``/auth/start`` leads to; the address that it sends back to."""
        choice = urlencode(instead or {"login_as": self.account})
        return (await self.get(f"{started.location}&{choice}")).location

    async def returning(self, link: str) -> str:
        """Open a link and say yes at Databricks; the callback's address, not opened yet."""
        return await self.agree(await self.get(link))

    async def asked(self, link: str) -> Page:
        """From the link to the page that asks for confirmation."""
        return await self.get(await self.returning(link))

    async def decide(self, page: Page, decision: str) -> Page:
        """Press ``link`` or ``decline`` on the confirmation page."""
        return await self.post(without_query(page.url), {"token": page.token, "decision": decision})

    async def sign_in(self, link: str) -> Page:
        """All the way; the last page."""
        return await self.decide(await self.asked(link), "link")

    async def _ask(self, method: str, url: str, form: Mapping[str, str]) -> Page:
        async with (
            aiohttp.ClientSession(cookie_jar=self.jar, headers=CIMultiDict(self.proxy)) as http,
            http.request(
                method, yarl.URL(url, encoded=True), data=form or None, allow_redirects=False
            ) as answer,
        ):
            page = Page(url=url, status=answer.status, headers=answer.headers, text=await answer.text())
        self.pages.append(page)
        return page


def query(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query))


def with_query(url: str, **changed: str) -> str:
    """The address with these parameters instead."""
    return urlsplit(url)._replace(query=urlencode({**query(url), **changed})).geturl()


def without_query(url: str) -> str:
    """The bare address."""
    return urlsplit(url)._replace(query="").geturl()


def at(url: str, server: str) -> str:
    """The same path and query at another server."""
    return urlsplit(url)._replace(netloc=urlsplit(server).netloc).geturl()
