"""What Prometheus would say: real scrapes as series, the rules that we ship, its own tool as the judge."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

RULES = Path(__file__).resolve().parent.parent / "deploy" / "prometheus" / "finestra.rules.yml"
#: What Prometheus writes on each series by itself.
TARGET = 'instance="api",job="finestra"'
#: By series with its labels. None: the api did not answer.
Scrape = Mapping[str, float] | None
_FIRING = 'max without (alertstate, severity, instance, job) ({}(ALERTS{{alertstate="firing"}}{}))'


def read_scrape(text: str) -> Scrape:
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {_series(sample.name, sample.labels): sample.value for sample in samples}


def say(folder: Path, scrapes: Sequence[Scrape], *, ever: Sequence[str] = (), now: Sequence[str] = ()) -> str:
    """Empty if promtool agrees: in these scrapes, one a minute, exactly `ever` fired and `now` still do.

    Each as `Alert{label="value"}`. Otherwise what promtool saw.
    """
    end = f"{len(scrapes) - 1}m"
    expected = {_FIRING.format("last_over_time", f"[{end}]"): ever, _FIRING.format("", ""): now}
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in _series_of(scrapes).items()],
        "promql_expr_test": [
            {"expr": expression, "eval_time": end, "exp_samples": [_sample(one) for one in alerts]}
            for expression, alerts in expected.items()
        ],
    }
    path = folder / "staged.test.yml"
    # JSON is YAML, and written faster.
    path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    run = subprocess.run(
        [promtool(), "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    return "" if run.returncode == 0 else run.stdout + run.stderr


def promtool() -> str:
    """Absent on a laptop: skip, in CI: fail."""
    found = shutil.which("promtool")
    if found is None and os.environ.get("CI"):
        pytest.fail("CI needs promtool, of Debian's package prometheus")
    return found or pytest.skip("promtool is not here: it comes with Prometheus")


def _series(name: str, labels: Mapping[str, str]) -> str:
    told = "".join(f'{label}="{value}",' for label, value in labels.items())
    return f"{name}{{{told}{TARGET}}}"


def _series_of(scrapes: Sequence[Scrape]) -> dict[str, str]:
    """As promtool writes them; where nothing was scraped a series ends, as Prometheus has it."""
    names = sorted({name for scrape in scrapes for name in scrape or ()})
    series = {name: " ".join(_value((scrape or {}).get(name)) for scrape in scrapes) for name in names}
    return {**series, f"up{{{TARGET}}}": " ".join(str(int(scrape is not None)) for scrape in scrapes)}


def _value(value: float | None) -> str:
    return "stale" if value is None else repr(value)


def _sample(alert: str) -> dict[str, object]:
    name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})?", alert).groups()
    return {"labels": f'{{{labels + "," if labels else ""}alertname="{name}"}}', "value": 1}
