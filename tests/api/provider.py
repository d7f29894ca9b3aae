"""Canaille, an SSO provider, with two people and the client `stead`; it says where it listens, and ends with its input.

The arguments are the redirect of the client and its secret.
"""

import os
import socket
import sys
import threading

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

redirect, secret = sys.argv[1:]
listening = socket.create_server(("127.0.0.1", 0))
port = listening.getsockname()[1]
app = create_app(
    {
        "SECRET_KEY": secret,
        "SERVER_NAME": f"127.0.0.1:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "SESSION_COOKIE_SECURE": False,
        "CANAILLE": {"DATABASE": "memory", "CAPTCHA_ENABLED": False},
        "CANAILLE_OIDC": {
            "TRUSTED_DOMAINS": ["localhost"],
            "ACTIVE_JWKS": [RSAKey.generate_key(2048).as_pem(private=True).decode()],
        },
    }
)
with app.app_context(), Backend.instance.session():
    people = []
    for name in ("anna", "eve"):
        person = models.User(
            user_name=name, formatted_name=name, family_name=name, emails=[f"{name}@example.org"], password=f"password of {name}"
        )
        Backend.instance.save(person)
        people.append(person)
    Backend.instance.save(models.Group(display_name="admins", members=people[:1]))
    client = models.Client(
        client_id="stead",
        client_name="stead",
        client_secret=secret,
        client_uri=redirect.removesuffix("/sso/callback"),
        redirect_uris=[redirect],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "email", "groups"],
        token_endpoint_auth_method="client_secret_basic",
    )
    Backend.instance.save(client)
    client.audience = [client]
    Backend.instance.save(client)
server = make_server("127.0.0.1", port, app, threaded=True, fd=listening.fileno())
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{port}", flush=True)
sys.stdin.read()
os._exit(0)
