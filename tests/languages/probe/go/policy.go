// Calls everything with values at the edge, and tells what the host answered: the same in every language.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"time"

	"stead/guest"
	"stead/guest/bootstrap"
	"stead/guest/host/backup"
	"stead/guest/host/compose"
	"stead/guest/host/config"
	"stead/guest/host/facts"
	"stead/guest/host/file"
	"stead/guest/host/firewall"
	"stead/guest/host/log"
	"stead/guest/host/packages"
	"stead/guest/host/service"
	"stead/guest/host/sysctl"
	"stead/guest/host/user"
	"stead/guest/host/vpn"
)

func init() { bootstrap.Policy(configure) }

func main() {}

func configure() error {
	var settings struct {
		Mode string `json:"mode"`
	}
	if err := config.Parse(&settings); err != nil {
		return err
	}
	switch settings.Mode {
	case "calls":
		calls()
	case "backup":
		names, err := backup.Schedule()
		if err != nil {
			told("backup.schedule", err)
			break
		}
		log.Info("backup.schedule: %s", strings.Join(names, ","))
	case "denied":
		return fmt.Errorf("wrapped: %w", packages.Install("not-granted", packages.Options{}))
	case "invalid":
		return sysctl.Set("", "1")
	case "other":
		return errors.New("no ☃ today")
	case "crash":
		crash(nil)
	case "wasi":
		wasi()
	default:
		return errors.New("no mode " + settings.Mode)
	}
	return nil
}

func crash(values []uint32) { values[0]++ }

func wasi() {
	files := "none"
	if entries, err := os.ReadDir("/"); err == nil {
		files = fmt.Sprint(len(entries))
	}
	network := "none"
	if _, err := net.DialTimeout("tcp", "127.0.0.1:22", time.Second); err == nil {
		network = "open"
	}
	moment, moved := time.Now(), "still"
	if !time.Now().Equal(moment) {
		moved = "moves"
	}
	var random [8]byte
	rand.Read(random[:])
	log.Info("files: %s, environment: %d, network: %s, time: %s, random: %x", files, len(os.Environ()), network, moved, random)
}

func told(call string, err error) {
	if err != nil {
		log.Log(log.Level_Info, fmt.Sprintf("%s: %v", call, err))
		return
	}
	log.Info("%s: ok", call)
}

func calls() {
	release := facts.Os()
	log.Info("%s %s %s %s", facts.HostName(), facts.Architecture(), release.Id, release.VersionId)
	for _, i := range facts.Interfaces() {
		log.Info("%s %s %v", i.Name, strings.Join(i.Addresses, ","), i.DefaultRoute)
	}
	for _, level := range []log.Level{log.Level_Debug, log.Level_Info, log.Level_Warn, log.Level_Error} {
		log.Log(level, "a\x1b[2J ☃")
	}
	debian()
	files()
	users()
	services()
	told("sysctl.set", sysctl.Set("vm.swappiness", "10"))
	told("sysctl.set", sysctl.Set("kernel.probe", strings.Repeat("9", 100_000)))
	told("sysctl.set", sysctl.Set("net.ipv4.ip_forward", "1"))
	packets()
	tunnels()
	told("compose.up", compose.Up("none", compose.Options{
		Environment:   []guest.Pair[string, string]{{F0: "A", F1: "☃"}},
		Secrets:       []guest.Pair[string, string]{{F0: "B", F1: "c"}},
		HealthTimeout: guest.Some(uint32(0)),
	}))
}

func debian() {
	options := packages.Options{Version: guest.Some("1.0"), Hold: guest.Some(true), Recommends: guest.Some(false)}
	told("package.install", packages.Install("", packages.Options{}))
	told("package.install", packages.Install("nginx", options))
	told("package.install", packages.Install("näme☃", options))
	told("package.remove", packages.Remove(strings.Repeat("a", 300)))
	told("package.add-repository", packages.AddRepository(packages.Repository{Name: "probe", Uris: []string{"☃"}}))
}

func files() {
	attributes := file.Attributes{Mode: guest.Some(uint32(math.MaxUint32)), Owner: guest.Some(""), Group: guest.Some("x")}
	told("file.write", file.Write("/etc/ü", []file.Part{file.MakePartText("☃")}, attributes, nil))
	parts := []file.Part{file.MakePartText(""), file.MakePartBytes([]byte{0, 128, 255}), file.MakePartText("☃")}
	told("file.write", file.Write("/etc/probe", parts, file.Attributes{}, nil))
	told("file.write", file.Write("/etc/secret", []file.Part{file.MakePartSecret("none")}, file.Attributes{}, nil))
	told("file.directory", file.Directory("relative", file.Attributes{}))
	told("file.symlink", file.Symlink("/etc/link", ""))
	told("file.absent", file.Absent("/etc/../x"))
}

func users() {
	told("user.present", user.Present(user.Account{
		Name:           "probe",
		Uid:            guest.Some(uint32(math.MaxUint32)),
		AuthorizedKeys: guest.Some([]string{}),
		Sudo:           guest.Some(user.Sudo_All),
	}))
	told("user.group", user.Group("probe", guest.Some(uint32(4000))))
	told("user.group", user.Group("", guest.Option[uint32]{}))
	told("user.absent", user.Absent("root"))
}

func services() {
	told("service.unit", service.Unit("probe.service", service.State{
		Enabled:   guest.Some(true),
		Running:   guest.Some(false),
		DependsOn: []string{"file:/etc/probe"},
		OnChange:  service.OnChange_Reload,
	}))
	told("service.unit", service.Unit("☃", service.State{}))
	told("service.unit-file", service.UnitFile("probe.service", ""))
	told("service.drop-in", service.DropIn("probe.service", "probe", "[Service]\nNice=5\n"))
}

func packets() {
	told("firewall.default-verdict", firewall.DefaultVerdict(firewall.Chain_Output, firewall.Fallback_Accept))
	told("firewall.add-rule", firewall.AddRule(firewall.Rule{
		Chain:          firewall.Chain_Input,
		InputInterface: guest.Some("wg*"),
		Source:         []string{"10.0.0.0/8", "fd00::/8"},
		Protocol:       guest.Some(firewall.Protocol_Tcp),
		Ports:          []firewall.PortRange{{First: 1, Last: 65535}},
		CtState:        firewall.CtState_New | firewall.CtState_Untracked,
		Mark:           guest.Some(uint32(math.MaxUint32)),
		Time: guest.Some(firewall.Time{
			Days:  firewall.Days_Monday | firewall.Days_Sunday,
			Hours: guest.Some(guest.Pair[string, string]{F0: "08:00", F1: "18:00"}),
		}),
		Limit:   guest.Some(firewall.Limit{Rate: 10, Per: firewall.Per_Minute, Burst: guest.Some(uint32(7)), Over: true}),
		Counter: true,
		Log:     guest.Some("probe "),
		Verdict: firewall.MakeVerdictDrop(),
		Comment: guest.Some("☃"),
	}))
	told("firewall.add-rule", firewall.AddRule(firewall.Rule{
		Chain: firewall.Chain_Prerouting, Verdict: firewall.MakeVerdictRedirect(0),
	}))
	told("firewall.add-set", firewall.AddSet(firewall.Set{
		Name: "probe", Elements: []string{"192.0.2.1"}, Dynamic: true, Timeout: guest.Some(uint32(60)),
	}))
	told("firewall.add-map", firewall.AddMap(firewall.Map{
		Name:      "ports",
		KeyType:   firewall.ElementType_InetService,
		ValueType: firewall.ValueType_Verdict,
		Elements:  []guest.Pair[string, string]{{F0: "22", F1: "accept"}},
	}))
	told("firewall.raw", firewall.Raw(firewall.Chain_Forward, "tcp dport 22 ct count over 10 reject"))
	told("firewall.open", firewall.Open(firewall.Protocol_Udp, 65535, []string{"::/0"}, guest.Some("wg0")))
	told("firewall.open", firewall.Open(firewall.Protocol_Tcp, 0, nil, guest.Option[string]{}))
}

func tunnels() {
	most := guest.Some(uint32(math.MaxUint32))
	told("vpn.add-interface", vpn.AddInterface(vpn.Interface{
		Name:       "wg0",
		Addresses:  []string{"10.8.0.1/24", "fd08::1/64"},
		ListenPort: guest.Some(uint16(65535)),
		Mtu:        guest.Some(uint32(1280)),
		Fwmark:     most,
		Routes:     guest.Some(true),
		Table:      most,
	}))
	told("vpn.add-peer", vpn.AddPeer("wg0", vpn.Peer{
		PublicKey:           "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=",
		Name:                guest.Some("☃"),
		Endpoint:            guest.Some("[2001:db8::1]:51820"),
		AllowedIps:          []string{"10.8.0.2"},
		PersistentKeepalive: guest.Some(uint16(65535)),
	}))
	_, err := vpn.AddMesh("none")
	told("vpn.add-mesh", err)
}
