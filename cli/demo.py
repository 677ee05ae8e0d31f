"""`finestra demo`: the whole story against both providers of the sandbox, to watch.

Real processes, real HTTP, real signatures; it fails if anything is not as told.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import requests
from rich.live import Live

from cli.client import Api
from cli.listener import Listener
from cli.ports import free_binds, free_ports
from cli.redis_binary import RedisServerError
from cli.screen import console
from cli.story import ACCOUNTS, BODY, NUMBERS, NotAsToldError, Scene, scenes, table_of
from cli.supervisor import wait_until
from cli.unit import NotReadyError, Unit, prepare

_STORY_SECONDS = 45


@click.command()
def demo() -> None:
    """Play the story against a simulated Meta and CM.com, with real processes, and check every step."""
    with tempfile.TemporaryDirectory(prefix="finestra-demo-") as folder:
        environ, (port,) = _environ(Path(folder)), free_ports(1)
        listener = Listener(port)
        try:
            unit = prepare(environ, log_dir=Path(folder) / "logs", callback_url=listener.url)
        except RedisServerError as exc:
            raise click.ClickException(str(exc)) from exc
        (Path(folder) / "logs").mkdir(exist_ok=True)
        with unit.supervisor.signals_caught(), listener.listening():
            sys.exit(_play(unit, listener))


def _play(unit: Unit, listener: Listener) -> int:
    console.print("Starting Redis, receiver, api, worker, Flower and the sandbox …")
    try:
        unit.start()
        _Stage(unit, listener).play()
    except (NotReadyError, NotAsToldError, click.ClickException, requests.RequestException) as exc:
        console.print(f"[bold red]The demo failed:[/bold red] {exc}")
        _show_logs(unit)
        return 1
    finally:
        left_when_asked = unit.stop()
    if not left_when_asked:
        console.print("[bold red]The demo failed:[/bold red] a process had to be killed")
        return 1
    console.print("[bold green]Everything went as told; every process stopped when asked.[/bold green]")
    return 0


class _Stage:
    """Plays the scenes and watches them."""

    def __init__(self, unit: Unit, listener: Listener) -> None:
        if unit.development is None:
            raise NotAsToldError("the demo needs its own configuration; unset FINESTRA_CONFIG")
        self._unit = unit
        self._sandbox = unit.addresses["sandbox"]
        self._app = Api(unit.addresses["api"], unit.development.secret("orders_key"))
        self._desk = Api(unit.addresses["api"], unit.development.secret("desk_key"))
        self._story = scenes()
        self._listener = listener
        listener.secret = unit.development.secret("orders_callback_secret")

    def play(self) -> None:
        for name, address in self._unit.addresses.items():
            console.print(f"  {name:<9} {address}")
        console.print("Meta shakes hands with our webhook; both providers approve a template …")
        self._approve_templates()
        with Live(table_of(self._story), console=console, refresh_per_second=8) as live:
            for scene in self._story:
                self._act(scene, live)
            self._watch(self._story, live)
        self._check()
        self._explain()
        self._show_callbacks()

    def _approve_templates(self) -> None:
        if not self._script("POST", "handshake", number=NUMBERS["shop"])["ok"]:
            raise NotAsToldError("the webhook handshake was refused")
        for sender, account in ACCOUNTS.items():
            template = {"name": "ordine_pronto", "language": "it", "body": BODY}
            registered = {**template, "sender": sender, "tag": "UTILITY", "samples": ["Anna", "991"]}
            self._app.call("POST", "/v1/templates", json=registered)
            self._app.call("POST", f"/v1/templates/ordine_pronto/it/submit?sender={sender}")
            if sender == "negozio":  # there is no API of CM.com to submit by
                named = {**template, "account": account, "category": "UTILITY", "status": "APPROVED"}
                self._script("PUT", "templates", templates=[named])
        decided = {"name": "ordine_pronto", "language": "it", "status": "APPROVED"}
        self._script("POST", "templates/decide", account=ACCOUNTS["shop"], **decided)
        for gate in ("provider", "whatsapp"):  # CM.com reports neither to us, so a person records them
            path = "/v1/templates/ordine_pronto/it/approval?sender=negozio"
            self._desk.call("POST", path, json={"gate": gate, "decision": "approved"})
        for sender in NUMBERS:
            self._until(partial(self._is_approved, sender), f"the template of {sender} to be approved")

    def _is_approved(self, sender: str) -> bool:
        answer = self._app.call("GET", f"/v1/templates/ordine_pronto/it?sender={sender}")
        return bool(answer["status"] == "approved")

    def _act(self, scene: Scene, live: Live) -> None:
        if scene.failures:
            # The fault is meant for this scene alone.
            self._watch([other for other in self._story if other.message_id], live)
            self._fail(scene)
        self._prepare_contact(scene)
        self._ask(scene)
        live.update(table_of(self._story))
        if scene.failures:
            self._watch([scene], live)

    def _prepare_contact(self, scene: Scene) -> None:
        contact = f"/v1/contacts/{scene.number}"
        if scene.writes:
            letter = {"from": scene.number, "to": NUMBERS[scene.sender], "text": "Buongiorno! È pronto?"}
            heard = self._script("POST", "inbound", **letter)
            if heard["webhook_status"] != requests.codes.ok:
                raise NotAsToldError(f"the webhook answered {heard['webhook_status']}")
        if scene.opts_in:
            consent = {"status": "opted_in", "source": "checkout", "evidence": "ticked the box"}
            self._app.call("PUT", f"{contact}/consent?sender={scene.sender}", json=consent)
        window = self._app.call("GET", f"{contact}?sender={scene.sender}")["window"]
        if window["open"] is not scene.writes:
            raise NotAsToldError(f"the window of {scene.who} is {'open' if window['open'] else 'closed'}")
        scene.window = window["expires_at"] if window["open"] else "closed"

    def _fail(self, scene: Scene) -> None:
        code = 131000 if scene.sender == "shop" else 500
        fault = {"times": scene.failures, "kind": "error", "code": code, "status": 500}
        self._script("POST", "faults", number=NUMBERS[scene.sender], **fault)

    def _ask(self, scene: Scene) -> None:
        """The one call that an app makes."""
        asked = {
            "to": scene.number,
            "sender": scene.sender,
            "text": f"Ciao {scene.who}, il tuo ordine 991 è pronto.",
            "template": {"name": "ordine_pronto", "language": "it", "variables": [scene.who, "991"]},
            "reference": "order-991",
        }
        key = {"Idempotency-Key": f"demo-{scene.sender}-{scene.who}"}
        scene.message_id = self._app.call("POST", "/v1/messages", headers=key, json=asked)["id"]
        self._look(scene)

    def _look(self, scene: Scene) -> bool:
        scene.shown = self._app.call("GET", f"/v1/messages/{scene.message_id}")
        return scene.is_over()

    def _watch(self, watched: list[Scene], live: Live) -> None:
        def all_over() -> bool:
            over = [scene.is_over() or self._look(scene) for scene in watched]
            live.update(table_of(self._story))
            return all(over)

        self._until(all_over, "messages to be delivered")

    def _check(self) -> None:
        mistakes = [f"{s.who} via {s.sender}: {s.mistake()}" for s in self._story if s.mistake()]
        for sender, number in NUMBERS.items():
            recorded = self._script("GET", "requests", number=number)["requests"]
            taken = sorted(item["kind"] for item in recorded if item["outcome"] == "accepted")
            if taken != ["session", "session", "template"]:
                mistakes.append(f"{sender}: the provider took {taken}")
        if mistakes:
            raise NotAsToldError("; ".join(mistakes))

    def _explain(self) -> None:
        """Every message can say why it went the way it went."""
        console.print("Why each of them went the way it went:")
        for scene in self._story:
            answer = self._app.call("GET", f"/v1/messages/{scene.message_id}/explain")
            mistake = scene.mistake_in(answer)
            if mistake:
                raise NotAsToldError(f"{scene.who} via {scene.sender}: {mistake}")
            why = " ".join(answer["sentences"][1:])
            console.print(f"  {scene.who} via {scene.sender}: {why}", markup=False)

    def _show_callbacks(self) -> None:
        """What the app was told without asking: what each contact wrote, signed."""
        writers = {scene.number: scene.who for scene in self._story if scene.writes}

        def heard() -> dict[str, Any]:
            return {event["data"]["contact"]: event for event in self._listener.of_type("inbound.received")}

        self._until(lambda: set(heard()) == set(writers), "callbacks to the app")
        if self._listener.unsigned:
            raise NotAsToldError(f"{self._listener.unsigned} callbacks were not signed as they should be")
        console.print("The app was told, by callbacks signed as Standard Webhooks:")
        for contact, event in heard().items():
            data = event["data"]
            console.print(f"  {event['type']}  {writers[contact]} to {data['sender']}: “{data['text']}”")

    def _script(self, method: str, door: str, **script: Any) -> Any:  # noqa: ANN401 - JSON
        url = f"{self._sandbox}/control/{door}"
        if method == "GET":
            answer = requests.get(url, params=script, timeout=10)
        else:
            answer = requests.request(method, url, json=script, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        def is_so() -> bool:
            self._unit.supervisor.tick()
            return condition()

        if not wait_until(is_so, timeout_seconds=_STORY_SECONDS):
            raise NotAsToldError(f"waited {_STORY_SECONDS} s for {what}")


def _show_logs(unit: Unit) -> None:
    if unit.log_dir is None:
        return
    for path in sorted(unit.log_dir.glob("*.log")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        console.print(f"--- {path.name}", *lines, sep="\n", markup=False)


def _environ(folder: Path) -> dict[str, str]:
    """Ours alone: nothing of a production environment reaches the demo."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FINESTRA_")}
    for name in [name for name in os.environ if name.startswith("FINESTRA_")]:
        del os.environ[name]
    return {**inherited, **free_binds(), "FINESTRA_DATA_DIR": str(folder), "FINESTRA_WORKER_SLOTS": "16"}
