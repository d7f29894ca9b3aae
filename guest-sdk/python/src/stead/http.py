"""Requests to hosts that are granted, for jobs."""

from wit_world.imports import http as _host

from ._errors import raising
from ._records import optional

Method = _host.Method
Request = optional(_host.Request, method=_host.Method.GET)
Bytes, Text, Artifact = _host.Content_Bytes, _host.Content_Text, _host.Content_Artifact
Plain, Secret, Hidden = _host.Value_Text, _host.Value_Secret, _host.Hidden
download = raising(_host.download)
send = raising(_host.send)


def get(url: str) -> _host.Response:
    """What the server says of a URL; a status of 400 and above is no failure."""
    return send(Request(url=url))
