# Two machines of one template have the same random numbers until then.
printf '%s' @RANDOM@ > /dev/urandom
date -s @@NOW@ > /dev/null
printf '%s' @NAME@ > /proc/sys/kernel/hostname
echo @NAME@ > /etc/hostname
echo @MACHINE@ > /etc/machine-id
[ -d /root/.ssh ] || mkdir -p /root/.ssh
printf '%s\n' @CLIENT@ > /root/.ssh/authorized_keys
printf '%s\n' @HOST@ > /etc/ssh/ssh_host_ed25519_key
printf '%s\n' @PUBLIC@ > /etc/ssh/ssh_host_ed25519_key.pub
systemctl start --no-block ssh.service 2> /dev/null || systemctl start --no-block sshd.service
# Without a program of its own.
(eval @LEASE@)
chmod 644 /etc/hostname /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub
