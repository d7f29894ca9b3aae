# What stead uses of the Hetzner Cloud API, by its OpenAPI document: `openapi.py` holds it to that document.
# usage: mock.py PORT [DOCUMENT]; /mock/... is for the tests.
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

PORT, TOKEN, PAGE = int(sys.argv[1]), "a token", 2
lock, servers, fault, next_id = threading.Lock(), {}, [], [42]
violations = []
check = None
if len(sys.argv) > 2:
    from openapi import checker
    check = checker(sys.argv[2], violations)

LOCATION = {"id": 1, "name": "fsn1", "description": "Falkenstein DC Park 1", "country": "DE", "city": "Falkenstein",
            "latitude": 50.47612, "longitude": 12.370071, "network_zone": "eu-central"}
AMOUNT = {"net": "0.0050000000", "gross": "0.0059500000"}
PRICE = {"location": "fsn1", "price_hourly": AMOUNT, "price_monthly": {"net": "3.29", "gross": "3.92"},
         "included_traffic": 21990232555520, "price_per_tb_traffic": {"net": "1.00", "gross": "1.19"}}
TYPES = [{"id": n, "name": name, "description": name.upper(), "cores": cores, "memory": memory, "disk": 40.0,
          "deprecated": False, "deprecation": None, "prices": [PRICE], "storage_type": "local", "cpu_type": "shared",
          "category": "Shared vCPU", "architecture": "x86", "locations": []}
         for n, (name, cores, memory) in enumerate([("cx22", 2, 4.0), ("cx32", 4, 8.0), ("cx42", 8, 16.0)], 1)]
IMAGES = ["ubuntu-24.04", "debian-13"]


def server(body):
    kind = next(t for t in TYPES if t["name"] == body["server_type"])
    return {"id": next_id[0], "name": body["name"], "status": "initializing",
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "labels": body.get("labels", {}),
            "public_net": {"ipv4": {"id": 1, "ip": "192.0.2.%d" % (next_id[0] % 250), "blocked": False,
                                    "dns_ptr": "static.example.com"},
                           "ipv6": None, "floating_ips": [], "firewalls": []},
            "private_net": [], "server_type": kind, "location": LOCATION,
            "datacenter": {"id": 1, "name": "fsn1-dc8", "description": "Falkenstein 1 DC 8", "location": LOCATION,
                           "server_types": {"supported": [1], "available": [1], "available_for_migration": [1]}},
            "image": None, "iso": None, "rescue_enabled": False, "locked": False, "backup_window": None,
            "outgoing_traffic": 0, "ingoing_traffic": 0, "included_traffic": 1, "primary_disk_size": 40,
            "protection": {"delete": False, "rebuild": False}, "volumes": [], "load_balancers": []}


def action(command, id):
    return {"id": 1, "command": command, "status": "running", "progress": 0, "started": "2016-01-30T23:50:00Z",
            "finished": None, "resources": [{"id": id, "type": "server"}], "error": None}


def error(status, code):
    return status, {"error": {"code": code, "message": "a message", "details": None}}


def page(query, name, rows):
    per, at = min(PAGE, int(query.get("per_page", [25])[0])), int(query.get("page", [1])[0])
    last = max(1, -(-len(rows) // per))
    return 200, {name: rows[(at - 1) * per:at * per], "meta": {"pagination": {
        "page": at, "per_page": per, "previous_page": at - 1 or None, "next_page": at + 1 if at < last else None,
        "last_page": last, "total_entries": len(rows)}}}


def create(body):
    if any(s["name"] == body["name"] for s in servers.values()):
        return error(409, "uniqueness_error")
    if body["image"] not in IMAGES or body["server_type"] not in [t["name"] for t in TYPES]:
        return error(422, "invalid_input")
    made = server(body)
    servers[made["id"]] = made
    next_id[0] += 1
    return 201, {"server": made, "action": action("create_server", made["id"]), "next_actions": [],
                 "root_password": "secret"}


def matches(s, query):
    wanted = query.get("label_selector", [""])[0]
    key, _, value = wanted.partition("==")
    named = query.get("name", [s["name"]])[0] == s["name"]
    return named and (not wanted or s["labels"].get(key) == value)


def answer(method, path, query, body):
    if method == "GET" and path == "/servers":
        for s in servers.values():
            s["status"] = "running" if s["status"] == "initializing" else s["status"]
        return page(query, "servers", [s for s in servers.values() if matches(s, query)])
    if method == "GET" and path == "/server_types":
        return page(query, "server_types", TYPES)
    if method == "GET" and path == "/pricing":
        return 200, {"pricing": {"currency": "EUR"}}
    if method == "POST" and path == "/servers":
        return create(body)
    if method == "DELETE" and path.startswith("/servers/"):
        gone = servers.pop(int(path.split("/")[2]), None)
        return (200, {"action": action("delete_server", gone["id"])}) if gone else error(404, "not_found")
    return error(404, "not_found")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        url = urlparse(self.path)
        text = self.rfile.read(int(self.headers.get("content-length") or 0))
        with lock:
            status, body = self.told(url, text)
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        if status == 429:
            self.send_header("RateLimit-Reset", str(int(time.time()) + 30))
        self.end_headers()
        self.wfile.write(text)

    def told(self, url, text):
        if url.path == "/mock/servers":
            return 200, [s["name"] for s in servers.values()]
        if url.path == "/mock/off":
            for s in servers.values():
                s["status"] = "off" if s["name"] == url.query else s["status"]
            return 200, {}
        if url.path == "/mock/fault":
            status, code = url.query.split(",")
            fault.append((int(status), code))
            return 200, {}
        if url.path == "/mock/violations":
            return 200, violations
        if self.headers.get("authorization") != "Bearer " + TOKEN:
            return error(401, "unauthorized")
        if fault:
            return error(*fault.pop(0))
        body = json.loads(text) if text else None
        status, said = answer(self.command, url.path, parse_qs(url.query), body)
        if check:
            check(self.command, url.path, parse_qs(url.query), body, status, said)
        return status, said

    do_GET = do_POST = do_DELETE = serve

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
