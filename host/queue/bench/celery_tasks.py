"""The peer's task, and what submits it: prints nanoseconds, one figure a line."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from celery import Celery

socket = os.path.abspath("redis.sock")
app = Celery("celery_tasks", broker=f"redis+socket://{socket}", backend=f"redis+socket://{socket}")
app.conf.update(task_acks_late=True)

# More than one, so that Redis can share a sync among them; more than ten make it no faster.
SUBMITTERS = 10


@app.task(name="no_op")
def no_op(number):
    return number + 1


def many(count):
    began = time.perf_counter_ns()
    with ThreadPoolExecutor(SUBMITTERS) as submitters:
        results = list(submitters.map(no_op.delay, [1] * count))
    for result in results:
        assert result.get(timeout=300) == 2
    print(time.perf_counter_ns() - began)


def one_by_one(count):
    for _ in range(count):
        began = time.perf_counter_ns()
        assert no_op.delay(1).get(timeout=60) == 2
        print(time.perf_counter_ns() - began)


if __name__ == "__main__":
    {"many": many, "one-by-one": one_by_one}[sys.argv[1]](int(sys.argv[2]))
