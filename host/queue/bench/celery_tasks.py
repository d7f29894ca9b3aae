"""The peer's task, and what submits it: prints nanoseconds, one figure a line."""

import os
import sys
import time

from celery import Celery

socket = os.path.abspath("redis.sock")
app = Celery("celery_tasks", broker=f"redis+socket://{socket}", backend=f"redis+socket://{socket}")
app.conf.update(task_acks_late=True)


@app.task(name="no_op")
def no_op(number):
    return number + 1


def many(count):
    began = time.perf_counter_ns()
    results = [no_op.delay(1) for _ in range(count)]
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
