"""Servers on this machine, each serving one folder, that DVC pushes to and pulls from; the tests start and stop them."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .conftest import BIN

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; user root; events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; client_max_body_size 0;
  proxy_temp_path {folder}/t1; fastcgi_temp_path {folder}/t2; uwsgi_temp_path {folder}/t3; scgi_temp_path {folder}/t4;
  server {{ listen 127.0.0.1:{port}; location / {{ root {store}; dav_methods PUT DELETE; create_full_put_path on; }} }}
}}
"""
SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
PidFile {folder}/sshd.pid
StrictModes no
Subsystem sftp internal-sftp
"""


@dataclass
class Remote:
    """How DVC reaches a folder: a URL, options of the remote, and the folder `store` where its bytes really lie."""

    url: str
    store: Path
    options: dict[str, str] = field(default_factory=dict)


@contextmanager
def folder(scratch: Path) -> Iterator[Remote]:
    yield Remote(str(scratch / "store"), scratch / "store")


@contextmanager
def ssh(scratch: Path) -> Iterator[Remote]:
    """A real sshd, with a key of its own."""
    sshd = needed("sshd", "Debian's openssh-server")
    if os.geteuid() != 0:
        pytest.skip("this is not root, who alone can start sshd for its users")
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(scratch / name)], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)  # which its service makes
    port, config = free_port(), scratch / "sshd_config"
    config.write_text(SSHD.format(port=port, folder=scratch))
    (scratch / "store").mkdir(exist_ok=True)
    with served([sshd, "-D", "-e", "-f", str(config)], port, scratch):
        options = {"keyfile": str(scratch / "key"), "user": "root"}
        yield Remote(f"ssh://127.0.0.1:{port}{scratch}/store", scratch / "store", options)


@contextmanager
def s3(scratch: Path) -> Iterator[Remote]:
    (scratch / "buckets/bucket").mkdir(parents=True, exist_ok=True)
    port = free_port()
    keys = {"access_key_id": "someone", "secret_access_key": "secret"}
    command = ["serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", ",".join(keys.values())]
    with served([str(BIN / "rclone"), *command, str(scratch / "buckets")], port, scratch):
        options = {**keys, "endpointurl": f"http://127.0.0.1:{port}", "region": "us-east-1"}
        yield Remote("s3://bucket/results", scratch / "buckets/bucket/results", options)


@contextmanager
def webdav(scratch: Path, port: int | None = None) -> Iterator[Remote]:
    (scratch / "store").mkdir(exist_ok=True)
    port = port or free_port()
    user = {"user": "someone", "password": "secret"}
    command = ["serve", "webdav", "--addr", f"127.0.0.1:{port}", "--user", user["user"], "--pass", user["password"]]
    with served([str(BIN / "rclone"), *command, str(scratch / "store")], port, scratch):
        yield Remote(f"webdav://127.0.0.1:{port}/", scratch / "store", user)


@contextmanager
def http(scratch: Path) -> Iterator[Remote]:
    """nginx, which takes PUT."""
    nginx = needed("nginx", "Debian's nginx-light")
    (scratch / "store").mkdir(exist_ok=True)
    port, config = free_port(), scratch / "nginx.conf"
    config.write_text(NGINX.format(port=port, folder=scratch, store=scratch / "store"))
    with served([nginx, "-c", str(config)], port, scratch):
        yield Remote(f"http://127.0.0.1:{port}", scratch / "store", {"method": "PUT"})


KINDS = {"folder": folder, "ssh": ssh, "s3": s3, "webdav": webdav, "http": http}


def needed(program: str, package: str) -> str:
    found = shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if not found:
        pytest.skip(f"{package} is not installed")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def served(command: list[str], port: int, scratch: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The server, once it answers; killed at the end."""
    with (scratch / "server.log").open("ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as running:
        try:
            wait_for(port, running, scratch / "server.log")
            yield running
        finally:
            running.kill()


def wait_for(port: int, running: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if running.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"the server did not come up: {log.read_text()[-2000:]}")
