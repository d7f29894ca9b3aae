"""WireGuard; see wg(8). Private keys are made on the host and never leave it."""

from wit_world.imports import vpn as _host

from ._errors import raising
from ._records import optional

Interface = optional(_host.Interface)
Peer = optional(_host.Peer)
add_interface = raising(_host.add_interface)
add_mesh = raising(_host.add_mesh)
add_peer = raising(_host.add_peer)
