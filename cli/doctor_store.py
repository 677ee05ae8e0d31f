"""Checks of Redis and the broker: are they there, and fit to keep what is owed (README, "Settings")."""

import re

from cli.findings import Finding, error, ok, warning
from shared.errors import DataVersionError
from shared.store.data_version import CURRENT, refuse_other
from shared.store.health import Condition

_OLDEST = (6, 2)
_NEARLY_FULL = 0.8
_FULL = 0.95
_UNASKED = "the server may not be asked"


def check_version(condition: Condition) -> Finding:
    if condition.version is None:
        return warning("redis_version", _UNASKED, "make sure that it is 6.2 or newer")
    numbers = tuple(map(int, re.findall(r"\d+", condition.version)[:2]))
    if numbers < _OLDEST:
        return error("redis_version", condition.version, "use Redis 6.2 or newer, or Valkey")
    return ok("redis_version", condition.version)


def check_policy(condition: Condition) -> Finding:
    if condition.policy is None:
        return warning("redis_policy", _UNASKED, "make sure that maxmemory-policy is noeviction")
    if condition.policy != "noeviction":
        todo = "set maxmemory-policy to noeviction: whatever is evicted was owed; receivers are not ready"
        return error("redis_policy", condition.policy, todo)
    return ok("redis_policy", condition.policy)


def check_persistence(condition: Condition) -> Finding:
    if condition.is_append_only is None:
        return warning("redis_persistence", _UNASKED, "make sure that it keeps an append-only file")
    if not condition.is_append_only:
        todo = "set appendonly yes and appendfsync always: a 202 must outlive a restart"
        return error("redis_persistence", "no append-only file", todo)
    if condition.last_write != "ok":
        todo = "look at the disk of Redis: full, or failing; nothing is acknowledged meanwhile"
        return error("redis_persistence", f"last write: {condition.last_write}", todo)
    return ok("redis_persistence", "append-only file, last write ok")


def check_memory(condition: Condition) -> Finding:
    if condition.used_bytes is None or condition.most_bytes is None:
        return warning("redis_memory", _UNASKED, "watch its memory where it is hosted")
    used = f"{condition.used_bytes / 2**20:.0f} MB used"
    if not condition.most_bytes:
        todo = "set maxmemory below what the machine has: refusing writes is better than being killed"
        return warning("redis_memory", f"{used}, no maxmemory", todo)
    ratio = condition.used_bytes / condition.most_bytes
    seen, todo = f"{used}, {ratio:.0%} of maxmemory", "raise maxmemory, or shorten FINESTRA_RETENTION_DAYS"
    if ratio >= _FULL:
        return error("redis_memory", seen, todo)
    return warning("redis_memory", seen, todo) if ratio >= _NEARLY_FULL else ok("redis_memory", seen)


def check_lua(*, runs: bool) -> Finding:
    if runs:
        return ok("redis_lua", "scripts run")
    return error("redis_lua", "scripts are refused", "allow EVAL, EVALSHA and SCRIPT to Finestra's user")


def check_data(versions: dict[str, int]) -> Finding:
    """`versions`: of the data, by business."""
    try:
        refuse_other(versions)
    except DataVersionError as exc:
        seen, _, todo = str(exc).partition("; ")
        return error("data_version", seen, todo)
    return ok("data_version", f"{CURRENT}, as this Finestra needs")


def check_broker(trouble: str | None) -> Finding:
    if trouble is None:
        return ok("broker", "reachable")
    todo = "check FINESTRA_BROKER_URL and the broker; until then workers hear no bell and send nothing"
    return error("broker", f"not reachable: {trouble}", todo)
