"""The bubble as HTML: it looks like WhatsApp's, holds all its parts, and nobody's words become markup."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.preview import Bubble, BubbleButton
from shared.domain.session_content import MediaKind
from shared.domain.template_parts import ButtonKind
from shared.picture import page

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "*<b onclick=alert(1)>*",
    "```</code><script>1</script>```",
    "' style='x' a='",
    "</style><script>1</script>",
    "&lt;script&gt;",
    "javascript:alert(1)",
]
OURS = {"html", "head", "meta", "title", "style", "body", "main", "div", "h1", "p", "footer", "ul", "li"}
OURS |= {"small", "strong", "em", "s", "code"}


class Reader(HTMLParser):
    """What a browser would find: elements with their attributes, and the words between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data if "style" not in self.open else ""


def bubble(words):
    button = BubbleButton(kind=ButtonKind.URL, label=words, target=words)
    return Bubble(
        media=MediaKind.DOCUMENT, filename=words, header=words, body=words, footer=words, buttons=(button,)
    )


def assert_harmless(html):
    read = Reader(html)

    assert {tag for tag, _ in read.found} <= OURS
    for tag, attributes in read.found:
        assert set(attributes) <= {"lang", "charset", "http-equiv", "content", "name", "class", "dir"}, tag
    assert read.open == []
    assert "url(" not in html[: html.index("</style>")]
    assert "@import" not in html[: html.index("</style>")]
    return read


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(words):
    read = assert_harmless(page(bubble(words), title=words, language="it"))

    assert read.words.count(words) >= 5


@given(st.text(max_size=80), st.text(max_size=20))
def test_no_text_at_all_becomes_markup(words, title):
    assert_harmless(page(bubble(words), title=title, language="en_US"))


def test_nothing_is_loaded_or_run_even_if_something_were_forgotten():
    read = Reader(page(bubble("Ciao"), title="t", language="it"))

    policies = [attributes["content"] for tag, attributes in read.found if "http-equiv" in attributes]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_each_part_is_there_and_markup_is_shown():
    button = BubbleButton(kind=ButtonKind.QUICK_REPLY, label="Confermo")
    html = page(
        Bubble(
            media=MediaKind.IMAGE,
            header="*Titolo*",
            body="*a _b_* ~c~\n```d```",
            footer="_Esempio_",
            buttons=(button,),
        ),
        title="ordine_pronto it",
        language="pt_BR",
    )

    assert '<html lang="pt-BR">' in html
    assert '<div class="file image">Image</div>' in html
    assert '<h1 dir="auto">*Titolo*</h1>' in html
    assert "<strong>a </strong><em><strong>b</strong></em> <s>c</s>\n<code>d</code>" in html
    assert '<footer dir="auto">_Esempio_</footer>' in html
    assert "<li>↩ Confermo</li>" in html
    assert "prefers-color-scheme:dark" in html


def test_a_bare_text_is_nothing_but_a_text():
    read = Reader(page(Bubble(body="Ciao"), title="t", language="it"))

    assert {tag for tag, _ in read.found} & {"h1", "footer", "ul", "li", "small"} == set()
