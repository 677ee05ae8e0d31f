"""`/docs` and `/docs/errors` say what `/openapi.json` and the table of codes say; nothing runs in them."""

import base64
import hashlib
import json
import re
from html import unescape
from html.parser import HTMLParser

import fakeredis
import pytest
from flask import Flask

from shared.domain.lint.rules import RULES
from shared.explanation import EXPLANATIONS
from shared.problems import Code, kinds
from shared.provider_codes import provider_codes
from tests.builders import World
from tests.door import DESK, ORDERS, ROUTES, assert_problem
from webhook.api.app import create_api
from webhook.api.context import Door, install_context
from webhook.api.docs import install_docs
from webhook.api.docs_fields import fields_of
from webhook.api.keyring import Keyring

PAGES = ["/docs", "/docs/errors"]
METHODS = ("get", "post", "put", "delete")


def basic(user, key):
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{key}'.encode()).decode()}"}


class Page(HTMLParser):
    """Its tags with their attributes, the texts between them, and its style."""

    def __init__(self, answer):
        super().__init__()
        assert answer.status_code == 200
        self.headers, self.html = answer.headers, answer.text
        self.tags, self.texts = [], []
        self.feed(answer.text)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def ids(self):
        return [attrs["id"] for _, attrs in self.tags if "id" in attrs]

    @property
    def links(self):
        return {attrs["href"] for tag, attrs in self.tags if tag == "a"}


@pytest.fixture(scope="module")
def api():
    """Nothing of these pages is stored."""
    return create_api(World(fakeredis.FakeRedis(decode_responses=True, version=(7,))).deps).test_client()


@pytest.fixture(scope="module")
def pages(api):
    return {path: Page(api.get(path, headers=ORDERS)) for path in PAGES}


@pytest.fixture(scope="module")
def spec(api):
    return api.get("/openapi.json", headers=ORDERS).json


class TestWhoMayRead:
    @pytest.mark.parametrize("path", [*PAGES, "/openapi.json"])
    @pytest.mark.parametrize("headers", [ORDERS, DESK, basic("", "orders-key"), basic("anna", "desk-key")])
    def test_any_key_opens_them_also_as_a_browser_sends_it(self, api, path, headers):
        assert api.get(path, headers=headers).status_code == 200

    @pytest.mark.parametrize("path", PAGES)
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer wrong"},
            basic("orders-key", ""),
            basic("", "wrong"),
            {"Authorization": "Basic orders-key"},
            {"Authorization": "Basic é"},
            {"Authorization": "Basic"},
            {"Authorization": "Digest orders-key"},
        ],
    )
    def test_nothing_else_does_and_a_browser_is_asked_for_a_key(self, api, path, headers):
        answer = api.get(path, headers=headers)

        assert_problem(answer, 401, "key_required")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert 'Bearer realm="finestra"' in answer.headers["WWW-Authenticate"]

    @pytest.mark.parametrize("query", ["key=orders-key", "api_key=orders-key", "access_token=orders-key"])
    def test_no_key_is_taken_from_an_address(self, api, query):
        assert api.get(f"/docs?{query}").status_code == 401

    @pytest.mark.parametrize(("method", "path", "body", "_opens"), ROUTES)
    def test_what_a_browser_sends_by_itself_opens_no_call(self, api, method, path, body, _opens):
        answer = api.open(path, method=method, json=body, headers=basic("", "desk-key"))

        assert_problem(answer, 401, "key_required")


class TestCalls:
    def test_every_call_is_there_once_with_its_words_scopes_and_errors(self, api, pages, spec):
        calls = dict(parts(pages["/docs"].html))

        documented = [
            (path, method) for path, each in spec["paths"].items() for method in METHODS if method in each
        ]
        assert len(calls) == len(documented)
        for path, method in documented:
            operation, call = spec["paths"][path][method], calls[method.upper(), path]
            assert operation["summary"].replace("`", "") in call
            for parameter in operation.get("parameters", ()):
                assert parameter["name"] in call
            for security in operation.get("security", ()):
                assert security["bearer"][0] in call
            for words in (*operation["responses"], *operation["x-codes"]):
                assert words in call

    def test_the_fields_of_a_message_have_their_types_limits_values_and_defaults(self, pages):
        message = dict(parts(pages["/docs"].html))["POST", "/v1/messages"]

        for words in (
            "to required string A number or a business-scoped user id.",
            "text string or null 1 to 4,096 characters",
            'when_closed string template wait nudge refuse default "template"',
            "expires_in integer or null 1 to 2,592,000 Seconds;",
            "contacts list of object or null 1 to 10 entries like",
            '"reference": "order-991"',
        ):
            assert words in message

    @pytest.mark.parametrize(("method", "path", "_body", "opens"), ROUTES)
    def test_the_scopes_that_are_written_are_those_that_open(self, api, spec, method, path, _body, opens):
        address = api.application.url_map.bind("localhost")
        rule, _ = address.match(path.partition("?")[0], method=method, return_rule=True)
        template = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)

        written = {each["bearer"][0] for each in spec["paths"][template][method.lower()]["security"]}
        assert written == (opens or {"admin"})

    def test_the_first_call_works_as_it_stands(self, api, pages):
        start = unescape(re.search(r"<pre><code>(.*?)</code></pre>", pages["/docs"].html, re.DOTALL)[1])
        address, body = (
            re.search(r"'http://localhost(/v1/.*?)'", start)[1],
            re.search(r"-d '(.*?)'", start)[1],
        )

        answer = api.post(address, data=body, headers=ORDERS)

        assert answer.status_code == 200
        assert answer.json["route"]


class TestErrors:
    @pytest.mark.parametrize("code", Code)
    def test_a_code_has_its_place_with_what_it_means_and_what_mends_it(self, pages, code):
        kind, html = kinds()[code], pages["/docs/errors"].html
        (place,) = re.findall(rf'<article id="{code}">(.*?)</article>', html, re.DOTALL)
        told = " ".join(unescape(re.sub(r"<[^>]+>", "", place)).split())

        assert told == f"{code} {kind.title} {kind.meaning} {kind.mend}".replace("`", "")

    def test_a_status_that_a_call_links_to_lists_its_codes(self, pages):
        for section in pages["/docs/errors"].html.split('<section id="status-')[1:]:
            status = section.partition('"')[0]
            codes = re.findall(r'<article id="(\w+)">', section)
            assert codes == [code for code, kind in kinds().items() if str(kind.status.value) == status]

    def test_the_type_of_an_error_leads_to_its_place(self, api):
        address, _, anchor = api.get("/nowhere").get_json(force=True)["type"].partition("#")

        assert anchor in Page(api.get(address, headers=ORDERS)).ids

    def test_rules_of_routes_and_codes_of_the_lint_and_of_providers_are_there_too(self, pages):
        page = pages["/docs/errors"]

        assert {f"rule-{rule}" for rule in EXPLANATIONS} | {f"lint-{code}" for code in RULES} <= set(page.ids)
        assert {"meta-131047", "meta-templates-2388019", "cmcom-62"} <= set(page.ids)
        advices = {row.advice for rows in provider_codes().values() for row in rows.values()}
        for sentence in {*EXPLANATIONS.values(), *advices}:
            assert " ".join(sentence.split()) in page.text


class TestSafety:
    @pytest.mark.parametrize("path", PAGES)
    def test_nothing_runs_nothing_is_loaded_and_only_our_style_counts(self, pages, path):
        page = pages[path]
        style = re.search(r"<style>(.*?)</style>", page.html, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
        assert "frame-ancestors 'none'" in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "form", "base"}
        for _, attrs in page.tags:
            assert not [name for name in attrs if name in {"style", "src"} or name.startswith("on")]
        assert "url(" not in style
        assert "@import" not in style

    @pytest.mark.parametrize("path", PAGES)
    def test_every_link_leads_somewhere(self, pages, path):
        ids = {page: set(pages[page].ids) for page in PAGES}

        for link in pages[path].links - {"/openapi.json"}:
            address, _, anchor = link.partition("#")
            assert anchor in ids[address or path] | {""}, link
        assert len(pages[path].ids) == len(ids[path])

    def test_words_of_the_specification_are_words_and_no_markup(self):
        evil = "<script>alert(1)</script>"
        answer = {"200": {"description": evil}}
        call = {"tags": ["x"], "summary": f"`{evil}`", "description": evil, "responses": answer}
        specification = {
            "info": {"description": evil},
            "tags": [{"name": "x", "description": evil}],
            "paths": {"/v1/x": {"get": call}},
            "components": {"schemas": {}},
        }
        page = Page(rendered(specification).get("/docs", headers={**ORDERS, "Host": 'x"><script>'}))

        assert "script" not in {tag for tag, _ in page.tags}
        assert page.text.count(evil) >= 5


def test_a_schema_that_holds_itself_is_told_once():
    tree = {"type": "object", "properties": {"name": {"type": "string"}, "next": {"$ref": "#/x/Tree"}}}

    told = [(field.name, field.depth) for field in fields_of({"$ref": "#/x/Tree"}, {"Tree": tree})]

    assert told == [("name", 0), ("next", 0)]


def rendered(specification):
    deps = World(fakeredis.FakeRedis(decode_responses=True, version=(7,))).deps
    app = Flask("webhook.api", static_folder=None)
    install_context(app, Door(deps, Keyring(deps.settings.configuration.apps.values())))
    install_docs(app, lambda: specification)
    return app.test_client()


def parts(html):
    """The text of each call, by method and address."""
    for piece in html.replace("<wbr>", "").split('<details class="call">')[1:]:
        words = " ".join(unescape(re.sub(r"<[^>]+>", " ", piece.partition("</details>")[0])).split())
        method, path = words.split()[:2]
        yield (method, path), words


def test_a_page_can_be_saved_and_its_links_lead_back(finestra, tmp_path):
    path = tmp_path / "docs.html"

    told = json.loads(finestra("docs", "page", "--output", str(path), "--json").stdout)

    text = path.read_text("utf-8")
    assert told == {"file": str(path), "bytes": len(text.encode())}
    assert 'href="/' not in text
    assert re.search(r'href="http://[^"]+/docs/errors"', text)
