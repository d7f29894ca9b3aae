"""Where the API finds what it needs."""

import os
from pathlib import Path


def secret(name):
    return Path("/run/secrets", name).read_text(encoding="utf-8").strip()


DOMAIN = os.environ["DOMAIN"]
DATABASE = {"host": "postgres", "dbname": "web", "user": "web", "password": secret("database")}
BROKER = f"redis://:{secret('redis')}@redis/0"
