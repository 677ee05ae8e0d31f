"""Real processes under the supervisor: restarts, order of stopping, and that nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest

from cli.supervisor import Backoff, Process, Supervisor, wait_until

FOREVER = "import time\nwhile True: time.sleep(60)"
NOTE_TIME_AND_DIE = "import sys, time; open(sys.argv[1], 'a').write(f'{time.monotonic()}\\n')"
READY = "import pathlib, sys; pathlib.Path(sys.argv[1]).touch()\n"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY
SAY_BYE = (
    "import pathlib, signal, sys\n"
    "def bye(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2] + '\\n'); sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, bye)\n"
    "pathlib.Path(sys.argv[1] + sys.argv[2]).touch()\n"
)
WITH_CHILD = (
    "import pathlib, subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "pathlib.Path(sys.argv[1]).write_text(str(child.pid))\n"
)
QUICK = Backoff(first_seconds=0.05, longest_seconds=0.2, healthy_after_seconds=10)


def python(name, code, *arguments, **options):
    return Process(name=name, argv=(sys.executable, "-c", code, *map(str, arguments)), **options)


@contextmanager
def started(*processes, **options):
    """Started, and never left behind by a failing test."""
    supervisor = Supervisor(processes, **options)
    try:
        supervisor.start()
        yield supervisor
    finally:
        supervisor.stop()


@contextmanager
def supervisor_in_its_own_process(code):
    program = f"import sys\nfrom cli.supervisor import Process, Supervisor\n{code}"
    outside = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        yield outside
    finally:
        outside.kill()
        outside.communicate()


def eventually(condition, supervisor=None):
    def holds():
        if supervisor is not None:
            supervisor.tick()
        return condition()

    assert wait_until(holds, timeout_seconds=4)


def is_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_dead_child_is_restarted_after_growing_pauses(tmp_path):
    times = tmp_path / "times"
    events = []

    with started(python("brief", NOTE_TIME_AND_DIE, times), on_event=events.append) as supervisor:
        eventually(lambda: times.exists() and len(times.read_text().split()) == 3, supervisor)

    first, second, third = map(float, times.read_text().split())
    pauses = [event.restart_in_seconds for event in events if event.kind == "died"]
    assert pauses[:2] == [0.5, 1.0]
    assert second - first >= 0.5
    assert third - second >= 1.0


def test_pauses_stop_growing_at_the_longest():
    backoff, pause, pauses = Backoff(), 0.0, []
    for _ in range(8):
        pause = backoff.next_pause(pause, 0.1)
        pauses.append(pause)

    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_pause_is_short_again_after_ten_seconds_of_life():
    assert Backoff().next_pause(16, 10) == 0.5
    assert Backoff().next_pause(16, 9.9) == 30


def test_death_of_one_child_leaves_the_others_alone():
    with started(python("one", FOREVER), python("other", FOREVER), backoff=QUICK) as supervisor:
        one, other = supervisor.pid("one"), supervisor.pid("other")

        supervisor.kill("one", signal.SIGKILL)

        eventually(lambda: supervisor.pid("one") not in {one, None}, supervisor)
        assert supervisor.pid("other") == other
        assert supervisor.is_running("other")


def test_children_of_a_dead_child_do_not_keep_its_port(tmp_path):
    note = tmp_path / "grandchild"
    with started(python("parent", WITH_CHILD + FOREVER, note)) as supervisor:
        eventually(lambda: note.exists() and note.read_text())
        grandchild = int(note.read_text())

        supervisor.kill("parent", signal.SIGKILL)

        eventually(lambda: is_gone(grandchild), supervisor)


def test_children_stop_in_order(tmp_path):
    goodbyes = tmp_path / "goodbyes"
    orders = {"last": 2, "first": 0, "second": 1}
    processes = [python(name, SAY_BYE + FOREVER, goodbyes, name, stop_order=n) for name, n in orders.items()]
    events = []
    with started(*processes, on_event=events.append) as supervisor:
        eventually(lambda: all((tmp_path / f"goodbyes{name}").exists() for name in orders))

        assert supervisor.stop()

    assert goodbyes.read_text().split() == ["first", "second", "last"]
    assert [event.name for event in events if event.kind == "stopped"] == ["first", "second", "last"]


def test_child_whose_turn_to_stop_has_not_come_is_kept_alive(tmp_path):
    ready = tmp_path / "ready"
    slow = python("slow", DEAF + FOREVER, ready, stop_order=0, stop_timeout_seconds=1)
    needed = python("needed", FOREVER, stop_order=1)
    events = []

    def note(event):
        events.append((event.name, event.kind))

    with started(slow, needed, on_event=note, backoff=QUICK) as supervisor:
        eventually(ready.exists)
        supervisor.kill("needed", signal.SIGKILL)
        supervisor.stop()

    assert events[2:] == [
        ("needed", "died"),
        ("needed", "started"),
        ("slow", "killed"),
        ("needed", "stopped"),
    ]


def test_stubborn_child_is_killed_after_its_timeout_with_its_children(tmp_path):
    ready, note = tmp_path / "ready", tmp_path / "grandchild"
    code = WITH_CHILD + DEAF.replace("argv[1]", "argv[2]") + FOREVER
    with started(python("deaf", code, note, ready, stop_timeout_seconds=0.3)) as supervisor:
        eventually(ready.exists)
        pid, began = supervisor.pid("deaf"), time.monotonic()

        assert not supervisor.stop()

        assert 0.3 <= time.monotonic() - began < 2
        assert is_gone(pid)
        eventually(lambda: is_gone(int(note.read_text())))


def test_run_ends_with_0_after_sigterm():
    code = f"""
sleeper = Process(name="sleeper", argv=(sys.executable, "-c", {FOREVER!r}))
sys.exit(Supervisor([sleeper], on_event=lambda event: print(event.pid, flush=True)).run())
"""
    with supervisor_in_its_own_process(code) as outside:
        sleeper = int(outside.stdout.readline())

        outside.send_signal(signal.SIGTERM)

        assert outside.wait(timeout=4) == 0
        assert is_gone(sleeper)


def test_second_signal_kills_at_once(tmp_path):
    ready = tmp_path / "ready"
    code = f"""
deaf = Process(name="deaf", argv=(sys.executable, "-c", {DEAF + FOREVER!r}, {str(ready)!r}))
sys.exit(Supervisor([deaf], on_event=lambda event: print(event.kind, event.pid, flush=True)).run())
"""
    with supervisor_in_its_own_process(code) as outside:
        pid = int(outside.stdout.readline().split()[1])
        eventually(ready.exists)

        outside.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            outside.wait(timeout=0.3)
        outside.send_signal(signal.SIGINT)

        assert outside.wait(timeout=4) == 1
        assert outside.stdout.readline().split() == ["killed", str(pid)]
        assert is_gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_no_orphan_after_kill_9_of_the_supervisor(tmp_path):
    ready = tmp_path / "ready"
    code = f"""
deaf = Process(name="deaf", argv=(sys.executable, "-c", {DEAF + FOREVER!r}, {str(ready)!r}))
Supervisor([deaf], on_event=lambda event: print(event.pid, flush=True)).run()
"""
    with supervisor_in_its_own_process(code) as outside:
        pid = int(outside.stdout.readline())
        eventually(ready.exists)

        outside.kill()

        eventually(lambda: is_gone(pid))


def test_child_is_the_leader_of_its_own_group():
    with started(python("sleeper", FOREVER)) as supervisor:
        pid = supervisor.pid("sleeper")

        assert os.getpgid(pid) == pid


def test_child_gets_default_signals():
    shell = Process(name="shell", argv=("/bin/sh", "-c", "kill -PIPE $$"))
    events = []
    with started(shell, on_event=events.append, backoff=Backoff(first_seconds=60)) as supervisor:
        eventually(lambda: len(events) == 2, supervisor)

    assert events[1].exit_code == -signal.SIGPIPE


def test_child_gets_the_environment_it_was_given_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "ours")
    shell = Process(
        name="shell",
        argv=("/bin/sh", "-c", "echo $WORD$SECRET; exec sleep 60"),
        env={"WORD": "yes", "PATH": os.defpath},
    )
    with started(shell, log_dir=tmp_path):
        eventually(lambda: (tmp_path / "shell.log").read_text() == "yes\n")


def test_output_of_each_child_goes_to_its_own_log(tmp_path):
    processes = [python(name, f"print('I am {name}', flush=True)\n{FOREVER}") for name in "ab"]
    with started(*processes, log_dir=tmp_path):
        eventually(lambda: (tmp_path / "a.log").read_text() == "I am a\n")
        eventually(lambda: (tmp_path / "b.log").read_text() == "I am b\n")


def test_program_that_does_not_exist_is_reported_and_tried_again(tmp_path):
    events = []
    missing = Process(name="missing", argv=("no-such-program",))
    with started(missing, on_event=events.append, backoff=QUICK, log_dir=tmp_path) as supervisor:
        eventually(lambda: [event.kind for event in events][:3] == ["started", "died", "started"], supervisor)

    assert "cannot run no-such-program: No such file or directory" in (tmp_path / "missing.log").read_text()


def test_wait_ready_names_what_is_not_ready(tmp_path):
    ready = tmp_path / "ready"
    with started(python("sleeper", READY + FOREVER, ready)) as supervisor:
        checks = {"sleeper": ready.exists, "never": lambda: False}

        assert supervisor.wait_ready({"sleeper": ready.exists}, timeout_seconds=4) == []
        assert supervisor.wait_ready(checks, timeout_seconds=0.1) == ["never"]


def test_some_can_be_started_before_the_others():
    supervisor = Supervisor([python("early", FOREVER), python("late", FOREVER)])
    try:
        supervisor.start("early")

        assert supervisor.is_running("early")
        assert not supervisor.is_running("late")
    finally:
        assert supervisor.stop()
