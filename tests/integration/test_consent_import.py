"""`finestra consent import | export`: every line is taken or listed, whatever interrupts it."""

import csv
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest
from click.testing import CliRunner

from cli.main import main
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from tests.builders import ANNA, NOW, World, opt_out
from tests.typed import served
from webhook.api.app import create_api

HEADER = "contact,status,categories,source,evidence,at"
AT = "2086-11-20T09:30:00Z"


@pytest.fixture
def world(real_redis) -> World:
    return World(real_redis)


def options(url: str) -> list[str]:
    return ["--sender", "shop", "--url", url, "--key", "desk-key"]


def run(app: WSGIApplication, *words: str):
    with served(app) as url:
        return CliRunner().invoke(main, ["consent", *words, *options(url)])


def contact(number: int) -> str:
    return f"+39333{number:07}"


def write_file(folder: Path, *lines: str) -> Path:
    file = folder / "consents.csv"
    file.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return file


def line(number: int) -> str:
    """Every hundredth is refused by the door, and every thousandth before it."""
    if number % 1_000 == 999:
        return f"{contact(number)},opted_in"
    return f"{'nobody' if number % 100 == 50 else contact(number)},opted_in,utility,crm,row {number},{AT}"


def refused_lines(file: Path) -> list[int]:
    with file.with_name(file.name + ".refused.csv").open(encoding="utf-8") as report:
        return [int(row["line"]) for row in csv.DictReader(report)]


def names(world: World) -> set[str]:
    found, after = set(), None
    while True:
        page = world.deps.consents.page("default", after=after, limit=1_000)
        found |= {name.value for name, _ in page.consents}
        after = page.next
        if after is None:
            return found


def test_what_is_refused_is_listed_beside_the_file_with_line_field_and_mend(world, tmp_path):
    file = write_file(
        tmp_path,
        f"{ANNA},opted_in,utility,crm,,{AT}",
        f"0039333,opted_in,,,,{AT}",
        f"{contact(7)},maybe,,,,2086-11-23T09:30:00Z",
        f"{ANNA},opted_in,,,,20 November",
        f"{ANNA},opted_in,,,",
    )

    done = run(create_api(world.deps), "import", str(file))

    assert done.exit_code == 1
    assert done.output.startswith("1 recorded, 0 unchanged, 4 refused")
    with (tmp_path / "consents.csv.refused.csv").open(encoding="utf-8") as report:
        rows = list(csv.DictReader(report))
    assert [(row["line"], row["field"]) for row in rows] == [
        ("3", "contact"),
        ("4", "status"),
        ("5", "at"),
        ("6", "line"),
    ]
    assert "2026-11-22T10:15:30Z" in rows[2]["mend"]
    assert contact(7) not in "".join(row["mend"] for row in rows)
    assert not (tmp_path / "consents.csv.progress").exists()


def test_all_taken_is_0_and_again_changes_nothing(world, tmp_path):
    file = write_file(tmp_path, *(f"{contact(number)},opted_in,,,,{AT}" for number in range(5)))

    first = run(create_api(world.deps), "import", str(file))
    world.clock.advance(timedelta(seconds=1))
    again = run(create_api(world.deps), "import", str(file))

    assert (first.exit_code, first.output) == (0, "5 recorded, 0 unchanged, 0 refused\n")
    assert (again.exit_code, again.output) == (0, "0 recorded, 5 unchanged, 0 refused\n")


def test_a_program_is_told_the_same(world, tmp_path):
    file = write_file(tmp_path, f"{ANNA},opted_in,,,,{AT}", f"{ANNA},maybe,,,,{AT}")

    done = run(create_api(world.deps), "import", str(file), "--json")
    exported = run(create_api(world.deps), "export", "--json")
    cut = run(create_api(world.deps), "import", str(write_file(tmp_path, '"never closed')), "--json")

    report = str(file) + ".refused.csv"
    assert (done.exit_code, json.loads(done.stdout)) == (
        1,
        {"recorded": 1, "unchanged": 0, "refused": 1, "report": report},
    )
    assert [json.loads(line)["contact"] for line in exported.stdout.splitlines()] == [ANNA.value]
    assert (cut.exit_code, cut.stdout) == (2, "")
    assert "line 2" in json.loads(cut.stderr)["detail"]


def test_what_cannot_go_on_is_2_and_names_the_line_after_taking_those_before(world, tmp_path):
    file = write_file(tmp_path, f"{ANNA},opted_in,,,,{AT}", '"never closed,opted_in')

    done = run(create_api(world.deps), "import", str(file))

    assert done.exit_code == 2
    assert "line 3" in done.output
    assert names(world) == {ANNA.value}
    assert CliRunner().invoke(main, ["consent", "import", "nowhere.csv"]).exit_code == 2


def test_nobody_who_answers_is_2(tmp_path):
    file = write_file(tmp_path, f"{ANNA},opted_in,,,,{AT}")

    done = CliRunner().invoke(main, ["consent", "import", str(file), *options("http://127.0.0.1:1")])

    assert done.exit_code == 2
    assert "goes on" in done.output


def test_two_at_once_of_one_file_are_one(tmp_path):
    file = write_file(tmp_path, f"{ANNA},opted_in,,,,{AT}")
    with file.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        done = CliRunner().invoke(main, ["consent", "import", str(file), *options("http://127.0.0.1:1")])

    assert done.exit_code == 2
    assert "another import" in done.output


def test_a_file_that_was_mended_is_read_from_its_begin(world, tmp_path):
    file = write_file(tmp_path, f"{ANNA},opted_in,,,,{AT}", '"never closed,opted_in')
    with served(create_api(world.deps)) as url:
        assert CliRunner().invoke(main, ["consent", "import", str(file), *options(url)]).exit_code == 2
        world.clock.advance(timedelta(seconds=1))
        write_file(tmp_path, f"{contact(1)},opted_in,,,,{AT}", f"{ANNA},opted_in,,,,{AT}")

        done = CliRunner().invoke(main, ["consent", "import", str(file), *options(url)])

    assert (done.exit_code, done.output) == (0, "1 recorded, 1 unchanged, 0 refused\n")


class Murderous:
    """The door, which kills whoever sends the batch of this number, before or after it is recorded."""

    def __init__(self, app: WSGIApplication, *, number: int, is_recorded: bool) -> None:
        self._app = app
        self._number, self._is_recorded = number, is_recorded
        self.bodies: list[bytes] = []
        self.victim: int | None = None
        self.has_victim = threading.Event()

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.bodies.append(body)
        dies = len(self.bodies) == self._number
        if dies and not self._is_recorded:
            self._kill()
            start_response("503 Service Unavailable", [])
            return []
        answer = list(self._app({**environ, "wsgi.input": BytesIO(body)}, start_response))
        if dies:
            self._kill()
        return answer

    def _kill(self) -> None:
        assert self.has_victim.wait(30)
        os.kill(self.victim, signal.SIGKILL)


def die_importing(app: Murderous, url: str, file: Path) -> None:
    command = [sys.executable, "-m", "cli", "consent", "import", str(file), *options(url)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        app.victim = child.pid
        app.has_victim.set()
        assert child.wait(60) == -signal.SIGKILL


@pytest.mark.parametrize("is_recorded", [False, True])
def test_killed_in_the_middle_and_started_again_nothing_is_lost_and_nothing_doubled(
    world, tmp_path, is_recorded
):
    count = 3_500
    file = write_file(tmp_path, *(line(number) for number in range(count)))
    app = Murderous(create_api(world.deps), number=3, is_recorded=is_recorded)
    shop, said_no = world.deps.sender("shop"), ContactId(contact(2_500))
    with served(app) as url:
        die_importing(app, url, file)
        # Meanwhile somebody in the batch in doubt says no, and must not be asked back.
        world.deps.contacts.set_consent(shop, said_no, opt_out(NOW), list(Category), now=NOW)
        done = CliRunner().invoke(main, ["consent", "import", str(file), *options(url)])

    bad = {number for number in range(count) if number % 100 == 50 or number % 1_000 == 999}
    assert names(world) == {contact(number) for number in range(count) if number not in bad}
    assert refused_lines(file) == sorted(number + 2 for number in bad)
    assert done.exit_code == 1
    assert "Going on after line 2,0" in done.output
    assert f"{len(bad)} refused" in done.output
    sent = [entry["evidence"] for body in app.bodies for entry in json.loads(body)["consents"]]
    assert len(sent) - len(set(sent)) <= 1_000
    consent = world.deps.contacts.get(shop, said_no).consent
    assert consent.opted_out_at(Category.UTILITY) == NOW
    assert len(world.deps.consents.history("default", ContactId(contact(2_001)))[1]) == 1


def test_what_is_exported_can_be_imported_and_says_the_same(world, tmp_path):
    shop = world.deps.sender("shop")
    lines = [
        f'{contact(1)},opted_in,utility marketing,crm,"said: ""sì"", twice",{AT}',
        f"{contact(2)},opted_out,,shop,,{AT}",
        f"IT.90011223344,opted_in,marketing,web,form 7,{AT}",
    ]
    run(create_api(world.deps), "import", str(write_file(tmp_path, *lines)))
    before = world.deps.consents.page("default", after=None, limit=10)

    exported = run(create_api(world.deps), "export").stdout
    world.client.flushdb()
    file = tmp_path / "again.csv"
    file.write_text(exported, encoding="utf-8")
    run(create_api(world.deps), "import", str(file))

    assert [row["contact"] for row in csv.DictReader(StringIO(exported))] == [
        contact(1),
        contact(2),
        "IT.90011223344",
    ]
    assert world.deps.consents.page("default", after=None, limit=10) == before
    assert world.deps.contacts.get(shop, ContactId(contact(1))).consent.is_opted_in(Category.MARKETING)


def test_an_export_that_fails_leaves_the_file_as_it_was(world, tmp_path):
    run(create_api(world.deps), "import", str(write_file(tmp_path, f"{ANNA},opted_in,utility,crm,,{AT}")))
    file = tmp_path / "all.csv"

    done = run(create_api(world.deps), "export", "--output", str(file))
    failed = CliRunner().invoke(
        main, ["consent", "export", "--output", str(file), *options("http://127.0.0.1:1")]
    )

    assert (done.exit_code, failed.exit_code) == (0, 2)
    assert file.read_text(encoding="utf-8") == f"{HEADER}\n{ANNA},opted_in,utility,crm,,{AT[:-1]}.000Z\n"
