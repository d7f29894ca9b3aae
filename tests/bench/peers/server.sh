# What tests/bench/repo declares, by a shell script, as careful people write one. It runs on the server, in a folder that holds
# files/ and app/; SWAPPINESS is the kernel parameter that changes.
set -eu
export DEBIAN_FRONTEND=noninteractive

# Puts a file in its place, and succeeds when it has changed something.
put() { # NAME PATH MODE
    cmp -s "files/$1" "$2" && return 1
    install -m "$3" "files/$1" "$2"
}

packages="unattended-upgrades sudo nftables wireguard-tools docker.io docker-cli docker-compose"
# shellcheck disable=SC2086
[ "$(dpkg-query -W -f '${db:Status-Status}\n' $packages 2>/dev/null | grep -cx installed)" = 7 ] ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } >/dev/null
put 52stead-periodic /etc/apt/apt.conf.d/52stead-periodic 644 || :

id alice >/dev/null 2>&1 || useradd --create-home --shell /bin/bash alice
install -d -o alice -g alice -m 700 /home/alice/.ssh
cmp -s files/alice.pub /home/alice/.ssh/authorized_keys ||
    install -o alice -g alice -m 600 files/alice.pub /home/alice/.ssh/authorized_keys
visudo -qcf files/sudoers-alice
put sudoers-alice /etc/sudoers.d/alice 440 || :
if put 10-sshd.conf /etc/ssh/sshd_config.d/10-sshd.conf 644; then sshd -t && systemctl reload ssh; fi

printf 'vm.swappiness = %s\n' "$SWAPPINESS" | cat files/sysctl.conf - > files/90-server.conf
if put 90-server.conf /etc/sysctl.d/90-server.conf 644; then sysctl -q -p /etc/sysctl.d/90-server.conf; fi

nft -c -f files/nftables.conf
if put nftables.conf /etc/nftables.conf 644; then nft -f /etc/nftables.conf; fi
systemctl is-enabled -q nftables || systemctl -q enable nftables

[ -s /etc/wireguard/wg0.key ] || (umask 077 && wg genkey > /etc/wireguard/wg0.key)
if put wg0.conf /etc/wireguard/wg0.conf 600; then
    wg syncconf wg0 /etc/wireguard/wg0.conf
    wg set wg0 private-key /etc/wireguard/wg0.key
    ip address replace 10.8.0.1/24 dev wg0
    ip link set wg0 up
fi

systemctl is-active -q docker || systemctl -q enable --now docker
mkdir -p /srv/hello
cp -a app/. /srv/hello/
docker compose --project-directory /srv/hello up --detach --wait --quiet-pull 2>/dev/null
