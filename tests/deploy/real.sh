#!/bin/sh
# Runs what deploy/ has, for real: the unit under systemd as PID 1 of a Debian machine of its own (systemd-nspawn), and the
# image built by buildah and run by runc, read-only, as its own user, without a capability. In both, logparse counts a
# recorded log; under systemd also through a rotation by deploy/odoo.logrotate, a kill -9 and a restart.
#
# As root on Debian, with about a gigabyte of disk and two minutes. PIP_CERT and the like are taken over into both.
set -eu
cd "$(dirname "$0")/../.."
say() { printf '%s\n' "real.sh: $*" >&2; }
die() { say "$*" && exit 1; }

for pair in mmdebstrap:mmdebstrap systemd-nspawn:systemd-container buildah:buildah runc:runc curl:curl; do
    command -v "${pair%%:*}" >/dev/null || DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${pair#*:}" >/dev/null
done

LOG=fixtures/16.0-w2-info/odoo.log # 291 attempts ended
PORT=19747
WORK=$(mktemp -d)
chmod 755 "$WORK"
ROOT=$WORK/root
STORAGE_DRIVER=vfs
BUILDAH_ISOLATION=chroot
export STORAGE_DRIVER BUILDAH_ISOLATION
container= machine=
end() {
    [ -z "$container" ] || { runc delete --force logparse-real && buildah rm "$container"; } >/dev/null 2>&1 || :
    [ -z "$machine" ] || kill -RTMIN+4 "$machine" 2>/dev/null || : # power off
    sleep 2
    buildah rmi logparse-real logparse-real-base >/dev/null 2>&1 || :
    rm -rf "$WORK"
}
trap end EXIT

# until COMMAND…: for half a minute.
until_true() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 150 ] || { say "in vain: $*" && return 1; }
        sleep 0.2
    done
}
counted() {
    [ "$(curl -sf "http://127.0.0.1:$PORT/metrics" | sed -n 's/^odoo_queue_job_runs_total{.*} \([0-9]*\)\.0$/\1/p')" = "$1" ]
}
well() { curl -sf "http://127.0.0.1:$PORT/healthz"; }

say "a Debian machine"
. /etc/os-release
mmdebstrap --quiet --variant=minbase \
    --include=systemd,systemd-sysv,python3,python3-venv,logrotate,ca-certificates "$VERSION_CODENAME" "$ROOT"
cp "${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" "$ROOT/etc/ssl/certs/ca-certificates.crt"
printf '[global]\ncert=/etc/ssl/certs/ca-certificates.crt\n' >"$ROOT/etc/pip.conf"

say "the image"
base=$(buildah from scratch)
buildah add --quiet "$base" "$ROOT" / >/dev/null
buildah commit --quiet --rm "$base" logparse-real-base >/dev/null 2>&1
buildah build --quiet --format docker --build-arg PYTHON=localhost/logparse-real-base \
    -t logparse-real -f deploy/Containerfile . >/dev/null
container=$(buildah from logparse-real)
mounted=$(buildah mount "$container")
mkdir -p "$WORK/run/log" "$WORK/run/state" "$mounted/var/log/odoo"
cp "$LOG" "$WORK/run/log/odoo-server.log"
chown 10001:10001 "$WORK/run/state"
buildah inspect "$container" >"$WORK/run/image.json"
(cd "$WORK/run" && runc spec && python3 - "$mounted" "$PORT" "$PWD" <<'EOF'
import json, sys
mounted, port, work = sys.argv[1:]
image = json.load(open("image.json"))["Docker"]["config"]
user, group = map(int, image["User"].split(":"))
env = dict(one.split("=", 1) for one in image["Env"]) | {"LOGPARSE_SERVE_LISTEN": f"127.0.0.1:{port}"}
command = image["Cmd"]
spec = json.load(open("config.json"))
spec["root"] = {"path": mounted, "readonly": True}
spec["process"] |= {
    "terminal": False,
    "user": {"uid": user, "gid": group},
    "args": [*image["Entrypoint"], command[0], "--start", "beginning", *command[1:]],
    "env": [f"{name}={value}" for name, value in env.items()],
    "noNewPrivileges": True,
    "capabilities": {},
}
spec["mounts"] = [one for one in spec["mounts"] if one["type"] not in ("cgroup", "sysfs")]
for there, here, how in (("/var/log/odoo", "log", "ro"), (image["Volumes"].popitem()[0], "state", "rw")):
    bind = {"type": "bind", "options": ["rbind", how]}
    spec["mounts"].append(bind | {"destination": there, "source": f"{work}/{here}"})
spec["linux"]["namespaces"] = [one for one in spec["linux"]["namespaces"] if one["type"] not in ("cgroup", "network")]
spec["linux"].pop("resources", None)
json.dump(spec, open("config.json", "w"))
json.dump(image["Healthcheck"]["Test"][1:], open("check.json", "w"))
EOF
)
runc run --bundle "$WORK/run" logparse-real >"$WORK/run/said" 2>&1 &
until_true counted 291 || { cat "$WORK/run/said" >&2 && exit 1; }
python3 -c 'import json, sys; print(*json.load(open(sys.argv[1])), sep="\0", end="\0")' "$WORK/run/check.json" |
    xargs -0 runc exec logparse-real || die "the health check fails"
[ "$(runc exec logparse-real id -u)" = 10001 ] || die "it does not run as user 10001"
! runc exec logparse-real touch /tried 2>/dev/null || die "its root file system can be written"
runc kill logparse-real TERM
until_true grep -q 'msg="stopped"' "$WORK/run/said"
[ -s "$WORK/run/state/logparse.state" ] || die "no state was saved"

say "the unit"
in_root() { systemd-nspawn --quiet --register=no --keep-unit --pipe -D "$ROOT" "$@" </dev/null; }
in_root --bind-ro="$PWD:/src" sh -c 'python3 -m venv /opt/logparse && /opt/logparse/bin/pip install --quiet /src'
install -m 644 deploy/logparse.service "$ROOT/etc/systemd/system/"
install -m 644 deploy/logparse.sysusers "$ROOT/usr/lib/sysusers.d/logparse.conf"
install -m 644 deploy/logparse.default "$ROOT/etc/default/logparse"
echo "LOGPARSE_SERVE_LISTEN=127.0.0.1:$PORT" >>"$ROOT/etc/default/logparse"
install -m 644 deploy/odoo.logrotate "$ROOT/etc/logrotate.d/odoo"
# As Odoo's Debian package does.
in_root sh -c 'systemd-sysusers && useradd --system --gid odoo odoo &&
    install -d -m 750 -o odoo -g odoo /var/log/odoo &&
    install -m 640 -o odoo -g odoo /dev/null /var/log/odoo/odoo-server.log && systemctl enable logparse' >/dev/null 2>&1
systemd-nspawn --quiet --register=no --keep-unit --boot --console=pipe -D "$ROOT" </dev/null >/dev/null 2>&1 &
until_true pgrep -P $!
machine=$(pgrep -P $!)
inside() { nsenter -t "$machine" -a "$@"; }
write() { # $1: the first digit of the hours, so that no log is the copy of another
    sed "s/^2026-11-24 0/2026-11-24 $1/" "$LOG" |
        inside setpriv --reuid odoo --regid odoo --init-groups sh -c 'cat >>/var/log/odoo/odoo-server.log'
}
until_true well
write 0
until_true counted 291
inside logrotate -f /etc/logrotate.d/odoo
inside systemctl kill -s KILL logparse
write 1
until_true counted 582
inside systemctl restart logparse
until_true counted 582
until_true well
inside systemctl reload logparse
until_true well
[ "$(inside stat -c %U:%a /var/lib/logparse)" = logparse:700 ] || die "the state is not its own"
say "all is well"
