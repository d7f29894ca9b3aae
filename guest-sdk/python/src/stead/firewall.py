"""The packet filter, by nft(8): the table `inet stead`."""

from wit_world.imports import firewall as _host

from ._errors import raising
from ._records import optional

Chain, Fallback, Protocol, Per, CtState, Days = (
    _host.Chain, _host.Fallback, _host.Protocol, _host.Per, _host.CtState, _host.Days)
ElementType, ValueType, PortRange = _host.ElementType, _host.ValueType, _host.PortRange
Accept, Drop, Reject, Masquerade, Snat, Dnat, Redirect = (
    _host.Verdict_Accept, _host.Verdict_Drop, _host.Verdict_Reject, _host.Verdict_Masquerade, _host.Verdict_Snat,
    _host.Verdict_Dnat, _host.Verdict_Redirect)
Limit = optional(_host.Limit)
Time = optional(_host.Time)
Rule = optional(_host.Rule, chain=Chain.INPUT, verdict=Accept())
Set = optional(_host.Set, element_type=ElementType.IPV4_ADDR)
Map = optional(_host.Map)
add_map = raising(_host.add_map)
add_rule = raising(_host.add_rule)
add_set = raising(_host.add_set)
default_verdict = raising(_host.default_verdict)
raw = raising(_host.raw)
_open = raising(_host.open)


def open(protocol, port: int, source: list[str] = [], input_interface: str | None = None) -> None:
    """Opens a port of this host, or one that a container publishes, to a source; to everybody without one."""
    _open(protocol, port, source, input_interface)
