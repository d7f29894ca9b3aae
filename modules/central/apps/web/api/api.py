"""The API: who is logged in, and their predictions. It keeps nothing itself, so there may be many of it."""

import re

from authlib.integrations.flask_client import OAuth
from celery import Celery
from flask import Flask, Response, abort, jsonify, redirect, request, session
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from werkzeug.middleware.proxy_fix import ProxyFix

from place import BROKER, DATABASE, DOMAIN, secret

app = Flask(__name__)
# nginx, and nobody else, says who asked and how.
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)
app.config.update(
    SECRET_KEY=secret("session"),
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_HTTPONLY=True,
    # With JSON bodies alone this keeps other sites from acting for somebody who is logged in.
    SESSION_COOKIE_SAMESITE="Lax",
    MAX_CONTENT_LENGTH=64 * 1024,
)
sso = OAuth(app).register(
    "sso",
    server_metadata_url=f"https://sso.{DOMAIN}/.well-known/openid-configuration",
    client_id="app",
    client_secret=secret("client"),
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)
queue = Celery(broker=BROKER)
pool = ConnectionPool(kwargs=DATABASE | {"row_factory": dict_row}, min_size=1, max_size=4, open=False)
# A file of the file server, below its root.
NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}")
SHOWN = "id, tile, model, state, job, result, plot is not null as plotted, created"


def query(text, *values):
    pool.open()
    with pool.connection() as connection:
        return connection.execute(text, values).fetchall()


def person():
    return session.get("person") or abort(401)


@app.get("/api/health")
def health():
    query("select 1")
    return jsonify(healthy=True)


@app.get("/api/login")
def login():
    return sso.authorize_redirect(f"https://app.{DOMAIN}/api/callback")


@app.get("/api/callback")
def callback():
    session["person"] = sso.authorize_access_token()["userinfo"]["sub"]
    return redirect("/")


@app.post("/api/logout")
def logout():
    session.clear()
    return jsonify(done=True)


@app.get("/api/me")
def me():
    return jsonify(person=person())


@app.get("/api/predictions")
def predictions():
    return jsonify(query(f"select {SHOWN} from prediction where person = %s order by id desc limit 50", person()))


@app.post("/api/predictions")
def predict():
    who, asked = person(), request.get_json()
    tile, model = (asked.get(key) for key in ("tile", "model"))
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in (tile, model)):
        abort(422, "tile and model are names of files on the file server")
    made = query(f"insert into prediction (person, tile, model) values (%s, %s, %s) returning {SHOWN}", who, tile, model)[0]
    queue.send_task("predict", [made["id"]])
    return jsonify(made), 201


@app.get("/api/predictions/<int:number>")
def prediction(number):
    found = query(f"select {SHOWN} from prediction where id = %s and person = %s", number, person())
    return jsonify(found[0]) if found else abort(404)


@app.get("/api/predictions/<int:number>/plot.png")
def plot(number):
    found = query("select plot from prediction where id = %s and person = %s and plot is not null", number, person())
    return Response(bytes(found[0]["plot"]), mimetype="image/png") if found else abort(404)
