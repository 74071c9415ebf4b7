#!/bin/sh
# Sets up what the checks need, then runs them all: ruff, mypy, pytest. Arguments go to pytest.
# It ends with the status of the first that failed. Running it again sets up only what has changed.
#
# PYTHON=/path/to/python3      the Python to use (3.11 or later); found by itself otherwise
# LOGPARSE_WITHOUT_PROMTOOL=1  leaves out the tests that need Prometheus' promtool
set -eu
PATH=$PATH:/usr/sbin:/sbin # where Debian keeps logrotate, out of the users' PATH
cd "$(dirname "$0")/.."

say() { printf '%s\n' "tests/run.sh: $*" >&2; }

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if recent "$name"; then
            printf '%s\n' "$name"
            return
        fi
    done
    say "Python 3.11 or later is needed and was not found: name it with PYTHON=/path/to/python3"
    return 1
}

# What the tests run of Debian's, each package by the command that shows that it is there.
missing_packages() {
    for pair in promtool:prometheus faketime:faketime zstd:zstd xz:xz-utils bzip2:bzip2 gzip:gzip logrotate:logrotate \
        mtail:mtail lnav:lnav chromium:chromium curl:curl systemd-analyze:systemd setpriv:util-linux \
        amtool:prometheus-alertmanager openssl:openssl; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || printf ' %s' "${pair#*:}"
    done
    # Debian's python3 comes without the means to make a virtual environment.
    [ -x .venv/bin/python ] || "$1" -c 'import ensurepip' 2>/dev/null || printf ' python3-venv'
}

install_packages() {
    missing=$(missing_packages "$1")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing$missing"
        # shellcheck disable=SC2086 # one word for each package
        if apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends $missing >/dev/null; then
            return 0
        fi
    fi
    say "not installed:$missing; to install them: sudo apt-get install$missing"
    say "until then tests fail: those marked needs_promtool (prometheus), tests/export (mtail, lnav), tests/out/page (chromium), tests/deploy (systemd, util-linux), tests/monitoring (curl, prometheus-alertmanager), tests/out (openssl), tests/source (the others)"
}

# All that the environment is made from; when it is as it was, nothing is to be done.
made_from() { cat pyproject.toml && .venv/bin/python --version && pwd; }

install_logparse() {
    stamp=.venv/made-from
    if [ -f "$stamp" ] && [ "$(made_from 2>/dev/null)" = "$(cat "$stamp")" ]; then
        return 0
    fi
    say "setting up .venv"
    recent .venv/bin/python || { rm -rf .venv && "$1" -m venv .venv; }
    # --group came with pip 25.1.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable . --group test
    made_from >"$stamp"
}

status=0
check() {
    "$@" && return 0
    failed=$?
    [ "$status" != 0 ] || status=$failed
}

python=$(find_python)
install_packages "$python"
install_logparse "$python"
check .venv/bin/ruff check .
check .venv/bin/mypy
check .venv/bin/python -m pytest --numprocesses auto "$@"
exit "$status"
