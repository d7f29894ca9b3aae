/** @module Interface stead:host/vpn@0.1.0 **/
/**
 * The interface is there, up, and comes back at boot by systemd-networkd(8), or by a unit with wireguard-go where the
 * kernel has no WireGuard. One of this name that is there already is taken over, with its private key; otherwise the
 * host makes a key.
 */
export function addInterface(interface_: Interface): void;
/**
 * The peer belongs to the interface of this name, which is declared as well. Peers that are not declared are
 * removed, the others keep their sessions.
 */
export function addPeer(interface_: string, peer: Peer): void;
/**
 * The interface `[vpn.NAME]` of `stead.toml` and its peers: every other host of it, and every peer that
 * `stead vpn add` has let in, each with the address and the public key of `vpn.toml`. A host whose public key is not
 * known yet is left out. Grants are needed as for adding the interface and each peer; either all of it is staged or
 * nothing. What is answered is the interface, so that a policy can open its port.
 * `invalid` when `stead.toml` has no such table, or this host is not in it.
 */
export function addMesh(name: string): Interface;
export type Error = import('./stead-host-types.js').Error;
/**
 * A WireGuard interface.
 */
export interface Interface {
  /**
   * Its name, 1 to 15 bytes of letters, digits and `_=+.-`: `wg0`.
   */
  name: string,
  /**
   * Its addresses with prefix length, both families: `10.8.0.1/24`.
   */
  addresses: Array<string>,
  /**
   * The UDP port that it listens on, 1 to 65535; one that the kernel picks when absent.
   */
  listenPort?: number,
  /**
   * The maximum transmission unit in bytes, 576 to 65535, with an IPv6 address at least 1280;
   * 1420 when absent.
   */
  mtu?: number,
  /**
   * The mark on outgoing packets (`fwmark`), not 0; none when absent.
   */
  fwmark?: number,
  /**
   * Whether the host gets a route through the interface for each allowed prefix of its peers that its
   * own addresses do not cover, as by wg-quick(8), and no other static route without a gateway; `true` when
   * absent. With `false` its routes are left alone. A default route (`0.0.0.0/0`,
   * `::/0`) is never added: who wants one declares it with a firewall mark and rules of their own.
   */
  routes?: boolean,
  /**
   * The routing table of its routes, not 0, 253 or 255, which are the kernel's; the main one, 254, when absent. In
   * another table every allowed prefix has a route, also what its own addresses cover and a default route: nothing
   * looks into that table unless a rule says so (ip-rule(8)). Not with `routes` = `false`.
   */
  table?: number,
}
/**
 * A peer of an interface.
 */
export interface Peer {
  /**
   * Its public key in base64, 44 characters.
   */
  publicKey: string,
  /**
   * What people call it, one line of at most 64 bytes; shown in plans.
   */
  name?: string,
  /**
   * A secret of the repo whose value is the preshared key in base64, by name.
   */
  presharedKey?: string,
  /**
   * `HOST:PORT` or `[ADDRESS]:PORT`; when absent the peer calls first. Peers roam, so it is set when the
   * peer is added and when it is declared differently, and not when the peer has moved on.
   */
  endpoint?: string,
  /**
   * The prefixes that go to it and may come from it; an address without prefix length is that address
   * alone, and host bits are masked. A prefix belongs to one peer only; where prefixes nest, the longest wins.
   */
  allowedIps: Array<string>,
  /**
   * The interval of keepalive packets in seconds, 1 to 65535; none when absent.
   */
  persistentKeepalive?: number,
}
