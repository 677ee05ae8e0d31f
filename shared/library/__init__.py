"""The ready-made templates that come with Finestra: one file a situation, the same words in each language.

It knows no sender and no approval: an import makes a draft of one, to be approved like any other.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from shared.domain.template_parts import ButtonKind, ButtonPart, TemplateContent
from shared.domain.template_text import provider_form

#: In which each of them is written.
LANGUAGES = ("it", "en", "es", "fr", "de")
#: Stands for a one-time code, all that is ours of such a template.
_CODE = TemplateContent(body="{{1}}", samples=("481516",))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyMade:
    """A template of the library in one language."""

    name: str
    language: str
    #: When to use it.
    about: str
    tag: str
    #: What each variable of the body is, in order.
    variables: tuple[str, ...]
    #: Whose senders can have it.
    providers: tuple[str, ...]
    content: TemplateContent

    @property
    def has_link(self) -> bool:
        return any(button.kind is ButtonKind.URL for button in self.content.buttons)

    def leading_to(self, url: str | None) -> TemplateContent:
        """Its content with the business's own address behind its link; without one, without the link."""
        buttons = (
            replace(button, url=url and provider_form(url)) if button.kind is ButtonKind.URL else button
            for button in self.content.buttons
        )
        kept = (button for button in buttons if button.kind is not ButtonKind.URL or button.url)
        return replace(self.content, buttons=tuple(kept))


def names() -> tuple[str, ...]:
    return tuple(_situations())


def find(name: str, language: str) -> ReadyMade | None:
    situation = _situations().get(name)
    if situation is None or language not in LANGUAGES:
        return None
    return ReadyMade(
        name=name,
        language=language,
        about=situation["about"],
        tag=situation["tag"],
        variables=tuple(situation["variables"]),
        providers=tuple(situation.get("providers", ("meta", "cm"))),
        content=_content(situation, situation[language]),
    )


def ready_made(language: str | None = None) -> list[ReadyMade]:
    """All of them, or all of a language; by name."""
    found = (find(name, each) for name in names() for each in LANGUAGES if language in {None, each})
    return [one for one in found if one is not None]


@cache
def _situations() -> Mapping[str, Mapping[str, Any]]:
    paths = (path for path in files(__name__).iterdir() if path.name.endswith(".toml"))
    texts = {path.name.removesuffix(".toml"): path.read_text(encoding="utf-8") for path in paths}
    return {name: tomllib.loads(texts[name]) for name in sorted(texts)}


def _content(situation: Mapping[str, Any], words: Mapping[str, Any]) -> TemplateContent:
    if "copy_code" in words:
        button = ButtonPart(kind=ButtonKind.ONE_TIME_CODE, label=words["copy_code"])
        return replace(_CODE, buttons=(button,))
    replies = (ButtonPart(kind=ButtonKind.QUICK_REPLY, label=label) for label in words.get("replies", ()))
    return TemplateContent(
        body=provider_form(words["body"]),
        footer=words.get("footer"),
        samples=tuple(words["samples"]),
        buttons=(*replies, *_link(situation, words)),
    )


def _link(situation: Mapping[str, Any], words: Mapping[str, Any]) -> tuple[ButtonPart, ...]:
    if "link" not in words:
        return ()
    url, sample = provider_form(situation["url"]), situation["url_sample"]
    return (ButtonPart(kind=ButtonKind.URL, label=words["link"], url=url, sample=sample),)
