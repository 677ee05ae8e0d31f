"""How well does the lint tell promotional wording? Over our own examples: `python -m bench.wording`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from shared.domain.lint import Level
from shared.domain.lint.wording import promotion_in

EXAMPLES = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "lint"
LANGUAGES = ("it", "en", "es", "fr", "de")


@dataclass(frozen=True)
class Score:
    """Of findings: how many are right, how much of what promotes they find."""

    precision: float
    recall: float

    def __str__(self) -> str:
        return f"{self.precision:.2f} / {self.recall:.2f}"


def examples(language: str, *, held_out: bool = False) -> list[tuple[str, bool]]:
    """Each text, and whether it promotes; `held_out`: those that the rules were not tuned on."""
    document = tomllib.loads((EXAMPLES / f"{language}.toml").read_text(encoding="utf-8"))
    prefix = "held_out_" if held_out else ""
    kinds = {f"{prefix}promotional": True, f"{prefix}service": False}
    return [(text, promotes) for kind, promotes in kinds.items() for text in document[kind]]


def score(language: str, *, errors_only: bool, held_out: bool = False) -> Score:
    verdicts = [
        (promotes, _is_found(text, language, errors_only=errors_only))
        for text, promotes in examples(language, held_out=held_out)
    ]
    hits = sum(promotes and is_found for promotes, is_found in verdicts)
    return Score(
        precision=hits / sum(is_found for _, is_found in verdicts),
        recall=hits / sum(promotes for promotes, _ in verdicts),
    )


def _is_found(text: str, language: str, *, errors_only: bool) -> bool:
    found = promotion_in(text, [language])
    return any(each.level is Level.ERROR or not errors_only for each in found)


def run() -> None:
    print("| precision / recall | examples | errors | errors and warnings |")
    print("|---|---|---|---|")
    for language in LANGUAGES:
        for held_out in (False, True):
            count = len(examples(language, held_out=held_out))
            scores = [score(language, errors_only=only, held_out=held_out) for only in (True, False)]
            part = "held out" if held_out else "tuned on"
            print(f"| {language}, {part} | {count} | {scores[0]} | {scores[1]} |")


if __name__ == "__main__":
    run()
