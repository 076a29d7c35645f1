"""The pages of a sign-in: start, callback with its question, confirmation. Plain HTML, no script, nothing remembered.

Which step is allowed is decided in ``agent.databricks``; here each outcome gets a page that says what to do next. The
headers keep the pages out of frames and caches, and the address with its code out of referrers.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import jinja2
import structlog
from aiohttp import web
from slack_sdk.errors import SlackClientError

from agent import errors as agent_errors
from agent.databricks import identities, refusals, sign_in
from bot import people
from storage import errors as storage_errors

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.Response]]

FORWARDED_EMAIL = (
    "X-Forwarded-Email"  # set by the proxy of Databricks Apps (docs.databricks.com, apps, HTTP headers)
)
SLACK_IS_AWAY = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)
NO_SLACK = (
    "Slack is not answering right now, and without it Bricklayer cannot tell whose account this is. Nothing was linked. "
    "Please wait a minute, then type /brick login in Slack to get a new link."
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SignInPages:
    """Routes below ``/auth``."""

    def __init__(
        self,
        *,
        identities: identities.IdentityService,
        people: people.People,
        on_linked: Callable[[sign_in.Linked], Awaitable[None]],
        secure: bool,
    ) -> None:
        """``secure``: browsers reach us over https, so the cookie is never sent without it."""
        self._identities = identities
        self._people = people
        self._on_linked = on_linked
        self._secure = secure
        self._pages = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    def add_to(self, app: web.Application) -> None:
        """Add the routes. No HEAD: scanners that only look at a link must not use it up."""
        app.router.add_get("/auth/start", self._guarded(self._start), allow_head=False)
        app.router.add_get("/auth/callback", self._guarded(self._callback), allow_head=False)
        app.router.add_post("/auth/callback", self._guarded(self._decide))

    def _guarded(self, handler: Handler) -> Handler:
        async def answered(request: web.Request) -> web.Response:
            try:
                return await handler(request)
            except refusals.SignInRefusedError as error:
                log.info("sign-in refused", reason=error.refusal.value)
                return self._page("message.html", status=403, title=error.title, text=error.remedy)
            except (agent_errors.AgentError, storage_errors.StorageError) as error:
                log.warning("sign-in failed", error=type(error).__name__)
                return self._page("message.html", status=503, title="That did not work", text=str(error))
            except SLACK_IS_AWAY as error:
                log.warning("sign-in failed", error=type(error).__name__)
                return self._page("message.html", status=503, title="That did not work", text=NO_SLACK)

        return answered

    async def _start(self, request: web.Request) -> web.Response:
        started = await self._identities.start(
            request.query.get("token", ""), forwarded_email=_forwarded_email(request)
        )
        response = web.Response(status=302, headers={**HEADERS, "Location": started.url})
        # Lax, because the callback comes as a navigation from Databricks.
        response.set_cookie(
            sign_in.COOKIE,
            started.cookie,
            max_age=started.cookie_lives,
            path="/auth",
            httponly=True,
            secure=self._secure,
            samesite="Lax",
        )
        return response

    async def _callback(self, request: web.Request) -> web.Response:
        pending = await self._identities.callback(
            dict(request.query),
            cookie=request.cookies.get(sign_in.COOKIE),
            forwarded_email=_forwarded_email(request),
        )
        person = await self._people.get(pending.user_id)
        return self._page(
            "confirm.html",
            slack_name=person.name,
            slack_email=pending.slack_email,
            user_name=pending.user_name,
            host=pending.host,
            token=pending.token,
        )

    async def _decide(self, request: web.Request) -> web.Response:
        form = await request.post()
        token, cookie = str(form.get("token", "")), request.cookies.get(sign_in.COOKIE)
        if form.get("decision") != "link":
            await self._identities.decline(token, cookie=cookie)
            return self._page(
                "message.html",
                title="Nothing was linked",
                text="You can close this page. /brick login starts again.",
            )
        linked = await self._identities.confirm(token, cookie=cookie)
        what_waited = (
            "what waited for you goes on by itself."
            if await self._told(linked)
            else "if something waited for you, send it again."
        )
        response = self._page(
            "message.html",
            title="You are signed in",
            text=f"Bricklayer now works as {linked.user_name} for you. Close this page and go back to Slack; {what_waited}",
        )
        response.del_cookie(sign_in.COOKIE, path="/auth")
        return response

    async def _told(self, linked: sign_in.Linked) -> bool:
        """Whether the rest of the service could act on it; linked they are in any case, and the page says so."""
        try:
            await self._on_linked(linked)
        except (storage_errors.StorageError, *SLACK_IS_AWAY) as error:
            log.error(
                "what waited for a sign-in was not let go", user=linked.user_id, error=type(error).__name__
            )
            return False
        return True

    def _page(self, name: str, *, status: int = 200, **values: str) -> web.Response:
        text = self._pages.get_template(name).render(values)
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)


def _forwarded_email(request: web.Request) -> str | None:
    """Whom the proxy names. One that adds its header behind a browser's own names two, and two are nobody."""
    return ",".join(request.headers.getall(FORWARDED_EMAIL, ())) or None
