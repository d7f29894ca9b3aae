// A hardened server with firewall, VPN, Docker and its compose apps: what modules/baseline is in Rust.
package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"stead/guest"
	"stead/guest/bootstrap"
	"stead/guest/host/compose"
	"stead/guest/host/config"
	"stead/guest/host/facts"
	"stead/guest/host/file"
	"stead/guest/host/firewall"
	"stead/guest/host/packages"
	"stead/guest/host/service"
	"stead/guest/host/sysctl"
	"stead/guest/host/user"
	"stead/guest/host/vpn"
)

const (
	periodic = `// How often apt does what by itself, in days; see /usr/lib/apt/apt.systemd.daily.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
`
	// Read first, so that it wins: sshd takes the first value of a keyword.
	dropIn = "/etc/ssh/sshd_config.d/10-stead.conf"
	sshd   = `# Written by stead: keys only.
Port %d
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
X11Forwarding no
MaxAuthTries 4
LoginGraceTime 30
`
	wg        = "wg0"
	wireguard = 51820
)

// Kernel parameters of a server that faces the internet; see ip-sysctl in the kernel's documentation.
var parameters = [][2]string{
	{"net.ipv4.conf.all.rp_filter", "2"},
	{"net.ipv4.conf.all.accept_redirects", "0"},
	{"net.ipv6.conf.all.accept_redirects", "0"},
	{"net.ipv4.tcp_syncookies", "1"},
	{"kernel.kptr_restrict", "1"},
}

type settings struct {
	Admins []struct {
		Name string   `json:"name"`
		Keys []string `json:"keys"`
	} `json:"admins"`
	SSHPort     uint16            `json:"ssh-port"`
	SSHFrom     []string          `json:"ssh-from"`
	SSHBy       *string           `json:"ssh-by"`
	PublicPorts []uint16          `json:"public-ports"`
	VPN         *tunnel           `json:"vpn"`
	Apps        []string          `json:"apps"`
	Sysctl      map[string]string `json:"sysctl"`
}

type tunnel struct {
	Mesh       bool     `json:"mesh"`
	Addresses  []string `json:"addresses"`
	ListenPort *uint16  `json:"listen-port"`
	Ports      []uint16 `json:"ports"`
	Peers      []struct {
		Name         string   `json:"name"`
		PublicKey    string   `json:"public-key"`
		AllowedIPs   []string `json:"allowed-ips"`
		Endpoint     *string  `json:"endpoint"`
		PresharedKey *string  `json:"preshared-key"`
	} `json:"peers"`
}

func init() { bootstrap.Policy(configure) }

func main() {}

func configure() error {
	s := settings{SSHPort: 22}
	if err := config.Parse(&s); err != nil {
		return err
	}
	for _, part := range []func(*settings) error{updates, access, network, apps} {
		if err := part(&s); err != nil {
			return err
		}
	}
	return nil
}

func install(names ...string) error {
	for _, name := range names {
		if err := packages.Install(name, packages.Options{}); err != nil {
			return err
		}
	}
	return nil
}

func write(path, text string, validate ...string) error {
	return file.Write(path, []file.Part{file.MakePartText(text)}, file.Attributes{}, validate)
}

func updates(*settings) error {
	if err := install("unattended-upgrades"); err != nil {
		return err
	}
	// After the 20auto-upgrades that the package may bring.
	return write("/etc/apt/apt.conf.d/52stead-periodic", periodic)
}

func access(s *settings) error {
	if err := install("sudo"); err != nil {
		return err
	}
	for _, admin := range s.Admins {
		account := user.Account{
			Name:           admin.Name,
			Shell:          guest.Some("/bin/bash"),
			AuthorizedKeys: guest.Some(admin.Keys),
			Sudo:           guest.Some(user.Sudo_AllNopasswd),
		}
		if err := user.Present(account); err != nil {
			return err
		}
	}
	if err := write(dropIn, fmt.Sprintf(sshd, s.SSHPort), "/usr/sbin/sshd", "-t", "-f", "{}"); err != nil {
		return err
	}
	return service.Unit("ssh.service", service.State{
		DependsOn: []string{"file:" + dropIn},
		OnChange:  service.OnChange_Reload,
	})
}

func network(s *settings) error {
	for _, parameter := range parameters {
		if _, other := s.Sysctl[parameter[0]]; other {
			continue
		}
		if err := sysctl.Set(parameter[0], parameter[1]); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Sysctl)) {
		if err := sysctl.Set(key, s.Sysctl[key]); err != nil {
			return err
		}
	}
	if err := install("nftables"); err != nil {
		return err
	}
	if err := firewall.DefaultVerdict(firewall.Chain_Input, firewall.Fallback_Drop); err != nil {
		return err
	}
	if err := firewall.Open(firewall.Protocol_Tcp, s.SSHPort, s.SSHFrom, maybe(s.SSHBy)); err != nil {
		return err
	}
	for _, port := range s.PublicPorts {
		if err := open(firewall.Protocol_Tcp, port); err != nil {
			return err
		}
	}
	if s.VPN == nil {
		return nil
	}
	return s.VPN.declare()
}

func open(protocol firewall.Protocol, port uint16) error {
	return firewall.Open(protocol, port, nil, guest.Option[string]{})
}

func maybe[T any](value *T) guest.Option[T] {
	if value == nil {
		return guest.Option[T]{}
	}
	return guest.Some(*value)
}

func (t *tunnel) declare() error {
	// The host needs no tool of WireGuard; the operator who looks at it does.
	if err := install("wireguard-tools"); err != nil {
		return err
	}
	made, err := t.make()
	if err != nil {
		return err
	}
	if made.ListenPort.IsSome() {
		if err := open(firewall.Protocol_Udp, made.ListenPort.Some()); err != nil {
			return err
		}
	}
	for _, port := range t.Ports {
		if err := firewall.Open(firewall.Protocol_Tcp, port, nil, guest.Some(wg)); err != nil {
			return err
		}
	}
	for _, peer := range t.Peers {
		declared := vpn.Peer{
			PublicKey:    peer.PublicKey,
			Name:         guest.Some(peer.Name),
			PresharedKey: maybe(peer.PresharedKey),
			Endpoint:     maybe(peer.Endpoint),
			AllowedIps:   peer.AllowedIPs,
		}
		if err := vpn.AddPeer(wg, declared); err != nil {
			return err
		}
	}
	return nil
}

func (t *tunnel) make() (vpn.Interface, error) {
	if t.Mesh {
		if len(t.Addresses) > 0 || t.ListenPort != nil {
			return vpn.Interface{}, errors.New("vpn.mesh: [vpn.wg0] of stead.toml says addresses and port; remove them here")
		}
		return vpn.AddMesh(wg)
	}
	if len(t.Addresses) == 0 {
		return vpn.Interface{}, errors.New("vpn: give `addresses`, or `mesh = true` for [vpn.wg0] of stead.toml")
	}
	port := uint16(wireguard)
	if t.ListenPort != nil {
		port = *t.ListenPort
	}
	made := vpn.Interface{Name: wg, Addresses: t.Addresses, ListenPort: guest.Some(port)}
	return made, vpn.AddInterface(made)
}

func apps(s *settings) error {
	if len(s.Apps) == 0 {
		return nil
	}
	if err := install(docker(facts.Os().Id)...); err != nil {
		return err
	}
	state := service.State{Enabled: guest.Some(true), Running: guest.Some(true)}
	if err := service.Unit("docker.service", state); err != nil {
		return err
	}
	for _, app := range s.Apps {
		if err := compose.Up(app, compose.Options{}); err != nil {
			return err
		}
	}
	return nil
}

// docker is Docker Engine, its client and its Compose plugin, as the distribution calls them.
func docker(distribution string) []string {
	if distribution == "ubuntu" {
		return []string{"docker.io", "docker-compose-v2"}
	}
	// Until Debian 12 the client came with docker.io, and docker-compose was the first, Python one.
	return []string{"docker.io", "docker-cli", "docker-compose"}
}
