"""A Claude model on loopback: the Messages API as the Claude CLI uses it, answered by a script.

Point ``ANTHROPIC_BASE_URL`` at ``ClaudeSandbox.url`` and use the API key ``sk-ant-sandbox``. The stand-in refuses
what the real service refuses (``checks``), streams as it does (``answer``), counts tokens plausibly (``usage``) and
keeps every request in ``requests``. It remembers no conversation: like the real one it sees what a request brings.

**In plain words** it answers a dozen requests about the sandbox's sample data ("which region sold most last
month?", "run this SQL: …", "write a report about the regions"; ``help`` lists them) by calling the tools that the
request offers, and says that it is scripted.

**In literal lines**, for tests, it does as it is told. Each line of the user's message that begins with ``!!`` is
one step, in order, unless it stands in a quote or a code fence; steps after a tool call go on when its results have
come. ``[times]`` counts the client's attempts at one request: without it the trouble stays, with 2 the third
attempt gets through.

========================================  =================================================================
``!!say <text>``                          streams the text; two in a row are two lines of one text
``!!say-slowly <n> <delay_ms> <word>``    the word n times, one every ``delay_ms``; ``{i}`` in it counts
``!!think <text>``                        thoughts, when the request asks for thinking
``!!markdown <"json string">``            a text that needs line breaks, written as a JSON string
``!!big <n>``                             n characters of Markdown
``!!tool <name> [json]``                  calls a tool; ``x`` finds ``mcp__server__x``
``!!tools <[{"name":…, "input":{…}}]>``   several calls in one message
``!!echo-results``                        the raw text of the last results
``!!echo-prompt``                         the newest prompt as the model received it
``!!echo-tools``                          the names of the tools offered
``!!whoami-system``                       the system prompt
``!!sleep <seconds>``                     silence; as the first step it also holds back the headers
``!!error <status> <type> [times]``       an error response; after a text, an ``error`` event in the stream
``!!stall [times]``                       the stream is open, and nothing more comes
``!!cut [times]``                         the connection breaks in mid-stream
========================================  =================================================================

**In Python**, ``ClaudeSandbox(brain=…)`` takes any function from a ``Request`` to an async iterator of ``blocks``.
"""

from sandbox.claude.server import API_KEY, ClaudeSandbox, RequestRecord

__all__ = ["API_KEY", "ClaudeSandbox", "RequestRecord"]
