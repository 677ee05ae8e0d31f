"""Meta's side of template approval for tests: the sandbox in this process, behind a real socket."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from werkzeug.serving import make_server

from sandbox.accounts import MetaAccount
from sandbox.app import create_sandbox
from sandbox.delivery import Delivery
from sandbox.faults import Fault
from sandbox.templates import Template
from sandbox.world import World as Sandbox
from shared.configuration import Configuration, Policy
from tests.builders import app, cm_sender, meta_sender

ACCOUNT = meta_sender().business_account_id
NUMBER = str(meta_sender().number)


class MetaSide:
    def __init__(self) -> None:
        self.world = Sandbox()
        self.flask = create_sandbox(self.world, Delivery(workers=1, retry_gaps=()))
        self._server = make_server("127.0.0.1", 0, self.flask, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.reset()

    @contextmanager
    def serving(self) -> Iterator["MetaSide"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def reset(self) -> None:
        self.world.reset()
        self.account = MetaAccount(
            number=NUMBER,
            phone_number_id=meta_sender().phone_number_id,
            business_account_id=ACCOUNT,
            access_token="meta-token",
            app_secret="meta-app-secret",
            verify_token="meta-verify",
            webhook_url="http://127.0.0.1:1/nobody",
        )
        self.world.put_accounts([self.account])

    def configuration(self, **policy: object) -> Configuration:
        return Configuration(
            senders={"shop": meta_sender(base_url=self.url), "negozio": cm_sender()},
            apps={
                "orders": app("orders", ("messages", "templates")),
                "desk": app("desk", ("admin",)),
            },
            policy=Policy(**policy),
        )

    def has(self, name: str, language: str = "it") -> Template:
        found = self.world.template(ACCOUNT, name, language)
        assert found is not None
        return found

    def put(self, name: str, status: str = "APPROVED", **changes: object) -> None:
        values = {
            "account": ACCOUNT,
            "name": name,
            "language": "it",
            "category": "UTILITY",
            "body": "Ciao {{1}}, il tuo ordine {{2}} è pronto.",
            "status": status,
        }
        self.world.put_templates([Template(**{**values, **changes})])

    def decide(self, name: str, status: str, *, reason: str = "NONE", category: str | None = None) -> None:
        known = self.has(name)
        decided = replace(known, status=status, category=category or known.category)
        self.world.put_templates([decided])
        self.world.registry.note(decided, reason=reason)

    def fail_once(self, kind: str, **how: object) -> None:
        self.world.add_faults(NUMBER, Fault(kind=kind, **how), 1)
