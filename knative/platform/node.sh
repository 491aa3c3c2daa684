# What servers and agents of K3s share. Read after lib.sh.
# shellcheck shell=sh disable=SC2154
changed=''

# check_machine refuses what cannot work, before anything is changed.
check_machine() {
  case $(uname -s)/$(uname -m) in
    Linux/x86_64) arch=amd64 binary=k3s ;;
    Linux/aarch64) arch=arm64 binary=k3s-arm64 ;;
    *) die "$(uname -s) on $(uname -m): K3s is installed on Linux, amd64 or arm64" ;;
  esac
  [ "$dry" ] && return
  [ "$(id -u)" = 0 ] || die "must be root"
  [ -d /run/systemd/system ] || die "systemd does not run here"
  modprobe wireguard 2>/dev/null || [ -d /sys/module/wireguard ] || die "the kernel has no WireGuard, which carries what nodes say to each other"
}

# node_files writes what the kubelet of every node wants; its part of config.yaml comes from node_config.
node_files() {
  # protect-kernel-defaults makes the kubelet refuse to start instead of changing these by itself.
  put /etc/sysctl.d/90-kubelet.conf 0644 <<'C'
vm.panic_on_oom=0
vm.overcommit_memory=1
kernel.panic=10
kernel.panic_on_oops=1
kernel.keys.root_maxbytes=25000000
C
  run sysctl --quiet --load /etc/sysctl.d/90-kubelet.conf
  # A RabbitmqSource's adapter ends when RabbitMQ is away for more than 6 s, and the kubelet starts it again after a pause
  # that doubles up to five minutes by default: deliveries would rest that long after RabbitMQ is back.
  put /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/50-aquaerp.conf 0600 <<'C'
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
crashLoopBackOff:
  maxContainerRestartPeriod: 20s
C
}

node_config() {
  cat <<'C'
protect-kernel-defaults: true
kubelet-arg:
  # Room for K3s itself and ssh: a full node slows the application down, it does not lose the node.
  - system-reserved=cpu=250m,memory=768Mi
  # Old images go before the disk that PostgreSQL may share with them is full (the default is 85 and 80 %).
  - image-gc-high-threshold=75
  - image-gc-low-threshold=65
C
}

# install_k3s ROLE: the pinned binary, checked against the list that its makers publish and against ours, and their
# installer of the same tag, which writes the systemd unit and the uninstaller. It restarts K3s when something changed.
install_k3s() {
  tag=$(printf %s "$K3S" | sed 's/+/%2B/')
  from=https://github.com/k3s-io/k3s/releases/download/$tag
  fetch "$K3S-$binary" "$from/$binary" "$from/sha256sum-$arch.txt"
  fetch "$K3S-install.sh" "https://raw.githubusercontent.com/k3s-io/k3s/$tag/install.sh"
  if [ "$dry" ] || ! cmp -s "$cache/$K3S-$binary" /usr/local/bin/k3s; then
    run install -m 0755 "$cache/$K3S-$binary" /usr/local/bin/k3s
    changed=1
  fi
  run env INSTALL_K3S_SKIP_DOWNLOAD=true INSTALL_K3S_EXEC="$1" ${changed:+INSTALL_K3S_FORCE_RESTART=true} sh "$cache/$K3S-install.sh"
}
