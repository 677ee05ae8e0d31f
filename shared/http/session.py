"""Sessions and GETs without what `requests` would add: redirects, proxies, cookies, netrc.

Knows nothing of calls and their ends.
"""

import ssl
from collections.abc import Mapping
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from shared.http.connections import WatchedPool, WatchedTlsPool

#: What a call raises that did not go as it should.
WENT_WRONG = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the signature is requests'
        """None: even unfollowed, requests would read a redirect's body without bound."""
        return


class _Adapter(HTTPAdapter):
    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(max_retries=0, pool_maxsize=1)
        self.poolmanager.pool_classes_by_scheme = {"http": WatchedPool, "https": WatchedTlsPool}
        self.poolmanager.connection_pool_kw["ssl_context"] = tls

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:  # noqa: ANN401 - as above
        """The shared context verifies; requests would load the authorities anew for each connection."""


def new_session(tls: ssl.SSLContext) -> requests.Session:
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(tls)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def exchange(
    session: requests.Session, request: requests.PreparedRequest, timeout_seconds: float
) -> requests.Response:
    """Send, and read the head of the answer; its body stays on the wire. `timeout_seconds`: for each wait."""
    return session.send(request, stream=True, allow_redirects=False, verify=True, timeout=timeout_seconds)


def bare_request(method: str, url: str, headers: Mapping[str, str]) -> requests.PreparedRequest:
    """By hand: `Request.prepare` costs more than the rest of the call, and adds auth from netrc."""
    request = requests.PreparedRequest()
    request.method = method
    request.url = url
    request.headers = CaseInsensitiveDict(headers)
    request.headers["User-Agent"] = "finestra"
    request.hooks = default_hooks()
    return request
