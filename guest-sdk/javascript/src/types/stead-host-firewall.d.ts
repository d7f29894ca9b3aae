/** @module Interface stead:host/firewall@0.1.0 **/
/**
 * Adds a rule to the end of its chain. Rules keep the order of the calls, and of the policies in `stead.toml`.
 * Every chain of which something is said begins with rules of stead's own: loopback and established and related
 * traffic is accepted, invalid traffic dropped, and the ICMP and DHCP messages without which a host loses its
 * network, ping among them, accepted.
 * 
 * Where `input` drops by default, its rules decide for published ports too; see `default-verdict`.
 */
export function addRule(rule: Rule): void;
/**
 * What happens to packets that no rule of the chain decides (`policy`); `accept` when never called.
 * Only for `input`, `forward` and `output`.
 * 
 * Where `input` drops by default, ports that containers publish are closed as well: what comes in for an
 * address of this host, by any interface but loopback and Docker's bridges (`docker0`, `br-*`), is judged by the
 * rules of `input` before the port is translated, and once only. What those accept, and what `prerouting` translates,
 * passes `forward` too, unless a rule there drops it. The address of a container cannot be reached past its published ports, unless a rule of `forward`
 * accepts that. All else that this host routes is left to `forward`.
 */
export function defaultVerdict(chain: Chain, verdict: Fallback): void;
/**
 * Adds a set, for rules of every policy. Two policies may add one of a name only in the same way.
 */
export function addSet(set: Set): void;
/**
 * Adds a map, for rules of `raw`. Two policies may add one of a name only in the same way.
 */
export function addMap(map: Map): void;
/**
 * Adds a rule in the words of nft(8) to the end of its chain, for what `rule` cannot say:
 * `tcp dport 22 ct count over 10 reject`. It is one rule on one line, without `;`, `#` and `$`, at most 4096 bytes; what is
 * opened in it is closed in it. nft itself checks it before anything is changed. It may do anything to any packet,
 * so it has a grant of its own. `stead firewall test` does not know what it does.
 */
export function raw(chain: Chain, rule: string): void;
/**
 * Opens a port of this host, or one that a container publishes, to a source, from any interface or from one.
 * `protocol` is tcp or udp, `port` the one that clients connect to, and an empty `source` means everybody.
 * It has its place among the rules of `input`: an earlier drop there wins.
 */
export function open(protocol: Protocol, port: number, source: Array<string>, inputInterface: string | undefined): void;
export type Error = import('./stead-host-types.js').Error;
/**
 * A base chain of the table, named after its hook.
 * # Variants
 * 
 * ## `"input"`
 * 
 * Packets to this host.
 * ## `"forward"`
 * 
 * Packets that this host routes, those to and from containers too.
 * ## `"output"`
 * 
 * Packets from this host.
 * ## `"prerouting"`
 * 
 * The first packet of what comes in, before it is routed: where destinations are translated (`type nat`).
 * ## `"postrouting"`
 * 
 * The first packet of what goes out, after it is routed: where sources are translated (`type nat`).
 */
export type Chain = 'input' | 'forward' | 'output' | 'prerouting' | 'postrouting';
/**
 * What happens to a packet. A drop is final; an accept does not override another table's drop.
 */
export type Verdict = VerdictAccept | VerdictDrop | VerdictReject | VerdictMasquerade | VerdictSnat | VerdictDnat | VerdictRedirect;
export interface VerdictAccept {
  tag: 'accept',
}
/**
 * Not in `prerouting` and `postrouting`, which see first packets only.
 */
export interface VerdictDrop {
  tag: 'drop',
}
/**
 * Refuses with an ICMP error. Not in `prerouting` and `postrouting`.
 */
export interface VerdictReject {
  tag: 'reject',
}
/**
 * Gives it the address of the interface that it goes out by. Only in `postrouting`.
 */
export interface VerdictMasquerade {
  tag: 'masquerade',
}
/**
 * Gives it this source address. Only in `postrouting`.
 */
export interface VerdictSnat {
  tag: 'snat',
  val: string,
}
/**
 * Sends it to `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; with a port, the rule names tcp or udp. Only in
 * `prerouting`. Where `input` drops by default, the port that clients connect to has to be opened as well.
 */
export interface VerdictDnat {
  tag: 'dnat',
  val: string,
}
/**
 * Sends it to this port of this host. Only in `prerouting`, with tcp or udp.
 */
export interface VerdictRedirect {
  tag: 'redirect',
  val: number,
}
/**
 * What happens to packets that no rule decides.
 * # Variants
 * 
 * ## `"accept"`
 * 
 * ## `"drop"`
 */
export type Fallback = 'accept' | 'drop';
/**
 * A transport protocol of a rule.
 * # Variants
 * 
 * ## `"tcp"`
 * 
 * ## `"udp"`
 * 
 * ## `"icmp"`
 * 
 * ## `"icmpv6"`
 */
export type Protocol = 'tcp' | 'udp' | 'icmp' | 'icmpv6';
/**
 * A range of ports, both ends included, 1 to 65535.
 */
export interface PortRange {
  first: number,
  last: number,
}
/**
 * What conntrack knows of a packet's connection (`ct state`).
 */
export interface CtState {
  new?: boolean,
  established?: boolean,
  related?: boolean,
  invalid?: boolean,
  untracked?: boolean,
}
/**
 * The unit of time of a rate.
 * # Variants
 * 
 * ## `"second"`
 * 
 * ## `"minute"`
 * 
 * ## `"hour"`
 * 
 * ## `"day"`
 */
export type Per = 'second' | 'minute' | 'hour' | 'day';
/**
 * `limit rate`: a token bucket for all packets that come to the rule.
 */
export interface Limit {
  /**
   * Packets per unit of time, at least 1.
   */
  rate: number,
  per: Per,
  /**
   * How many may come at once beyond the rate; 5 when absent, as in nft(8).
   */
  burst?: number,
  /**
   * Whether packets beyond the rate match, instead of those within it (`limit rate over`).
   */
  over: boolean,
}
/**
 * A day of the week.
 */
export interface Days {
  monday?: boolean,
  tuesday?: boolean,
  wednesday?: boolean,
  thursday?: boolean,
  friday?: boolean,
  saturday?: boolean,
  sunday?: boolean,
}
/**
 * When a rule holds, in the time zone of the host.
 */
export interface Time {
  /**
   * The days; none means all.
   */
  days: Days,
  /**
   * `HH:MM`, from and to, the beginning before the end: over midnight takes two rules.
   */
  hours?: [string, string],
}
/**
 * A rule. An absent or empty match matches everything; the matches of one rule must all hold.
 */
export interface Rule {
  /**
   * The chain that it is added to.
   */
  chain: Chain,
  /**
   * `iifname`: the interface that the packet came in by, not for `output` and `postrouting`. At most 15 bytes;
   * as in nft(8), a `*` at the end stands for any rest: `wg*`.
   */
  inputInterface?: string,
  /**
   * `oifname`: the interface that the packet goes out by, not for `input` and `prerouting`. Written like
   * `input-interface`.
   */
  outputInterface?: string,
  /**
   * `ip saddr` or `ip6 saddr`: addresses or prefixes without host bits, any of them, of both families; or
   * one set of `add-set`, by its name after an `@`: `@office`.
   */
  source: Array<string>,
  /**
   * `ip daddr` or `ip6 daddr`, written like `source`.
   */
  destination: Array<string>,
  /**
   * The transport protocol.
   */
  protocol?: Protocol,
  /**
   * `dport`: destination ports, any of them. Needs `protocol` tcp or udp.
   */
  ports: Array<PortRange>,
  /**
   * `dport` in a set of `add-set`, by its name without an `@`. Needs `protocol` tcp or udp, and no `ports`.
   */
  portSet?: string,
  /**
   * `sport`: source ports, any of them. Needs `protocol` tcp or udp.
   */
  sourcePorts: Array<PortRange>,
  /**
   * `icmp type` or `icmpv6 type`, by their names in nft(8): `echo-request`. Needs `protocol` icmp or icmpv6.
   */
  icmpTypes: Array<string>,
  /**
   * `ct state`, any of them; none means all.
   */
  ctState: CtState,
  /**
   * `meta mark`: the packet has exactly this mark.
   */
  mark?: number,
  /**
   * When it holds.
   */
  time?: Time,
  /**
   * How often it holds.
   */
  limit?: Limit,
  /**
   * Counts its packets and bytes; `nft list` shows them. A change of the ruleset begins anew.
   */
  counter: boolean,
  /**
   * Writes its packets to the kernel's log, with this prefix of one line of 1 to 64 bytes, without `"` and `$`.
   */
  log?: string,
  /**
   * What happens.
   */
  verdict: Verdict,
  /**
   * A comment of one line, at most 64 bytes, without `"`; kept in the ruleset, after the name of the policy.
   */
  comment?: string,
}
/**
 * What the elements of a set or the keys of a map are.
 * # Variants
 * 
 * ## `"ipv4-addr"`
 * 
 * `ipv4_addr`: an address, a prefix without host bits, or a range `192.0.2.1-192.0.2.9`.
 * ## `"ipv6-addr"`
 * 
 * `ipv6_addr`, written like `ipv4-addr`.
 * ## `"inet-service"`
 * 
 * `inet_service`: a port, or a range `8000-8100`.
 */
export type ElementType = 'ipv4-addr' | 'ipv6-addr' | 'inet-service';
/**
 * A named set.
 */
export interface Set {
  /**
   * 1 to 31 letters, digits, `_` and `-`, of which a letter is the first.
   */
  name: string,
  /**
   * What it holds.
   */
  elementType: ElementType,
  /**
   * Its elements, in any order; those that overlap or adjoin are joined.
   */
  elements: Array<string>,
  /**
   * `flags dynamic`: rules of `raw` add and update elements while packets pass. Its elements are single
   * addresses or ports, those that packets added are no drift, and a change of the ruleset forgets them.
   */
  dynamic: boolean,
  /**
   * How long an element that was added stays, in seconds. Only with `dynamic`.
   */
  timeout?: number,
}
/**
 * What the values of a map are.
 * # Variants
 * 
 * ## `"ipv4-addr"`
 * 
 * ## `"ipv6-addr"`
 * 
 * ## `"inet-service"`
 * 
 * ## `"verdict"`
 */
export type ValueType = 'ipv4-addr' | 'ipv6-addr' | 'inet-service' | 'verdict';
/**
 * A named map, for rules of `raw`: `tcp dport vmap @ports`, `dnat ip to tcp dport map @services`.
 */
export interface Map {
  /**
   * Written like the name of a set; a set and a map cannot share one.
   */
  name: string,
  keyType: ElementType,
  valueType: ValueType,
  /**
   * Keys and values; a value of type `verdict` is `accept` or `drop`.
   */
  elements: Array<[string, string]>,
}
