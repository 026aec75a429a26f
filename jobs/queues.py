"""RQ queues. One queue a worker process: only then is taking a job from Redis safe against a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

if TYPE_CHECKING:
    from marketplace import Zhiliu

DEADLINES, OUTBOX, IMPORTS, SEARCH = "deadlines", "outbox", "imports", "search"
QUEUES = (DEADLINES, OUTBOX, IMPORTS, SEARCH)
# work that may take long is left for when Redis is back: a close must not wait behind it
PATIENT = (IMPORTS, SEARCH)
# messages whose work is long have a queue of their own, so that mail and protocols do not wait behind them
TOPICS = {
    "import.run": IMPORTS,
    "search.sync": SEARCH,
    "search.rebuild": SEARCH,
    "search.compare": SEARCH,
    "interest.match": SEARCH,
}
# a rebuild writes every document; everything else is done in seconds
TIMEOUTS = {SEARCH: 4 * 3600}


def connect(app: Zhiliu) -> Redis:
    """The application's Redis, with short time-outs so that its absence is noticed at once."""
    if "redis" not in app.extensions:
        app.extensions["redis"] = Redis.from_url(app.settings.redis_url, socket_connect_timeout=2)
    redis: Redis = app.extensions["redis"]
    return redis


def enqueue(app: Zhiliu, queue: str, task: str, *args: object) -> bool:
    """Hand a task to a worker; False when Redis is away (the caller or the next tick does it itself)."""
    timeout = TIMEOUTS.get(queue, 120)
    try:
        Queue(queue, connection=connect(app)).enqueue(task, *args, job_timeout=timeout, result_ttl=0, failure_ttl=3600)
    except RedisError:
        return False
    return True
