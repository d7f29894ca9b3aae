"""Tasks that hand work to `stead serve` and wait for it: one task, one job, one virtual machine."""

import os
import time
from pathlib import Path

import psycopg
import requests
from celery import Celery
from psycopg.types.json import Jsonb

JOBS, FILES = os.environ["JOBS"], os.environ["FILES"]
ENDED = {"succeeded", "failed", "cancelled"}


def secret(name):
    return Path("/run/secrets", name).read_text(encoding="utf-8").strip()


app = Celery(broker=f"redis://:{secret('redis')}@redis/0")
app.conf.update(
    # A task is done when it is done: one whose worker died goes to another worker.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_concurrency=1,
    # Longer than a job may take: until then nobody else gets its task.
    broker_transport_options={"visibility_timeout": 6 * 3600},
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
)
api = requests.Session()
api.verify = "/run/secrets/tls_ca"
api.headers["Authorization"] = f"Bearer {secret('jobs')}"


class Refused(Exception):
    """The API understood, and will not do it; asking again would not help."""


def ask(method, path, **more):
    answer = api.request(method, JOBS + path, timeout=60, **more)
    if 400 <= answer.status_code < 500 and answer.status_code != 429:
        raise Refused(answer.text)
    answer.raise_for_status()
    return answer


def work(connection, number):
    """Submits the job of a prediction, unless it is there already, and waits for its end: the job, the result, the plot."""
    key, tile, model = connection.execute("select key, tile, model from prediction where id = %s", (number,)).fetchone()
    wanted = {"policy": "predict", "input": {"tile": f"{FILES}/{tile}", "model": f"{FILES}/{model}"}}
    # The key makes it the same job, however often this task is begun.
    job = ask("POST", "/v1/jobs", json=wanted, headers={"Idempotency-Key": str(key)}).json()
    while job["state"] not in ENDED:
        connection.execute("update prediction set state = %s, job = %s where id = %s", (job["state"], job["id"], number))
        time.sleep(2)
        job = ask("GET", f"/v1/jobs/{job['id']}").json()
    if job["state"] == "succeeded":
        return job, job["result"]["result"], ask("GET", f"/v1/jobs/{job['id']}/artifacts/plot.png").content
    last = (job.get("history") or [{}])[-1]
    return job, {"error": last.get("message") or job["state"]}, None


@app.task(name="predict", autoretry_for=(requests.RequestException, psycopg.OperationalError), retry_backoff=True, max_retries=20)
def predict(number):
    """Works on one row of the table `prediction`."""
    address = {"host": "postgres", "dbname": "web", "user": "web", "password": secret("database")}
    with psycopg.connect(**address, autocommit=True) as connection:
        try:
            job, result, plot = work(connection, number)
        except Refused as refused:
            job, result, plot = {"state": "failed", "id": None}, {"error": str(refused)}, None
        connection.execute(
            "update prediction set state = %s, job = %s, result = %s, plot = %s where id = %s",
            (job["state"], job["id"], Jsonb(result), plot, number),
        )
