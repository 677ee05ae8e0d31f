"""Redis through TLS: `rediss://` speaks it, and only to a server whose certificate is trusted."""

import os
import shutil

import pytest

from cli.ports import free_ports
from cli.supervisor import Process, kill_group, spawn, wait_until
from shared.errors import StoreUnavailableError
from shared.store.connection import connect, server_time
from tests.unit.http.wire_server import self_signed


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """Its address, and the certificate to trust. The bundled server need not speak TLS."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no Redis server on PATH")
    folder, (port,) = tmp_path_factory.mktemp("tls"), free_ports(1)
    self_signed(folder)
    key, cert = folder / "key.pem", folder / "cert.pem"
    files = f"--tls-cert-file {cert} --tls-key-file {key} --tls-ca-cert-file {cert}"
    options = (
        f"--bind 127.0.0.1 --port 0 --tls-port {port} --tls-auth-clients no --dir {folder} {files} --save"
    )
    child = spawn(Process(name="redis", argv=(program, *options.split(), "")), log_path=folder / "redis.log")
    url = f"rediss://127.0.0.1:{port}/0"
    try:
        assert wait_until(lambda: answers(f"{url}?ssl_ca_certs={cert}"), timeout_seconds=5)
        yield url, cert
    finally:
        kill_group(child)


def answers(url: str) -> bool:
    try:
        with connect(url) as client:
            return server_time(client) > 0
    except StoreUnavailableError:
        return False


def test_a_server_whose_certificate_is_trusted_is_spoken_to_and_no_other(tls):
    url, certificate = tls

    assert answers(f"{url}?ssl_ca_certs={certificate}")
    assert not answers(url)
