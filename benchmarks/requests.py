"""Measures what it costs to count HTTP requests, on one core.

    python benchmarks/requests.py [--lines 1000000]

A log of a busy server's access lines (calls, images with ids, static files, polling, RPC, a shop; no jobs) is
written to benchmarks/data/, then read in turns, several rounds in one session, by this process: without and
with requests counted. The table has the median CPU time of a line, and the ratio, which a busy machine
changes less. `logparse replay` as processes, start included, stands below.
"""

import argparse
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from generate import DATA

from logparse.match.load import load_patterns
from logparse.out.requests import Requests
from logparse.pipe import Pipe
from logparse.source.files import read_files

# Requests, and how many of a hundred or so are such.
TRAFFIC = {
    "POST /web/dataset/call_kw/res.partner/web_search_read": 8,
    "POST /web/dataset/call_kw/sale.order/web_read": 8,
    "POST /web/dataset/call_kw/sale.order/read": 6,
    "POST /web/dataset/call_kw/account.move/web_save": 4,
    "POST /web/dataset/call_button/sale.order/action_confirm": 1,
    "POST /web/dataset/call_kw/mail.message/read": 3,
    "GET /web/image/res.partner/{id}/avatar_128?unique=1769": 12,
    "GET /web/image/{id}-abcdef/logo.png": 3,
    "GET /web/static/img/favicon.ico": 4,
    "GET /web/assets/{id}-9a8b7c/web.assets_web.min.js": 3,
    "POST /longpolling/poll": 8,
    "GET /websocket?version=18.0-5": 4,
    "POST /jsonrpc": 5,
    "POST /xmlrpc/2/object": 5,
    "POST /mail/thread/messages": 4,
    "GET /web/login": 3,
    "GET /shop/product-{id}": 4,
    "GET /odoo/action-{id}/5": 4,
    "GET /my/orders/{id}?access_token=ab12": 2,
    "GET /wp-login.php": 1,
}
_STATUSES = [200] * 30 + [303, 404, 500]


def write(path: Path, lines: int) -> None:
    """A log of so many access lines, 200 in a second; the same each time."""
    rng = random.Random(1)
    requests = rng.choices(list(TRAFFIC), list(TRAFFIC.values()), k=lines)
    with path.open("w", encoding="utf-8") as file:
        for number, request in enumerate(requests):
            millis = 5 * number + rng.randrange(5)
            clock = time.strftime("%H:%M:%S", time.gmtime(millis // 1000))
            day = 24 + millis // 86_400_000
            seconds, part = rng.lognormvariate(-3.5, 1.2), rng.random()
            asked = request.replace("{id}", str(rng.randrange(20_000)))
            client = f"10.0.{rng.randrange(3)}.{rng.randrange(255)}"
            pid = rng.randrange(20_000, 20_008)
            head = f"2026-11-{day} {clock},{millis % 1000:03d} {pid} INFO prod werkzeug: "
            line = f'{client} - - [{day}/Nov/2026 {clock}] "{asked} HTTP/1.1" {rng.choice(_STATUSES)} - '
            queries = int(rng.lognormvariate(3, 1))
            file.write(f"{head}{line}{queries} {seconds * part:.3f} {seconds * (1 - part):.3f}\n")


def seconds(path: Path, *, http: bool) -> float:
    """CPU time of one reading by the pipe."""
    requests = Requests() if http else None
    pipe = Pipe(load_patterns(http=http), requests=requests)
    start = time.process_time()
    for chunk in read_files([str(path)]):
        pipe.feed(chunk)
    if requests is not None:
        requests.to_state()
    return time.process_time() - start


def process(*arguments: str) -> float:
    """CPU time of a whole logparse, start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "logparse", *arguments]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    DATA.mkdir(exist_ok=True)
    path = DATA / f"requests-{given.lines}.log"
    if not path.exists():
        write(path, given.lines)
    ways = {
        "the pipe": lambda: seconds(path, http=False),
        "the pipe, requests counted": lambda: seconds(path, http=True),
        "`logparse replay --workers 1 --json`": lambda: process(
            "replay", "--workers", "1", "--json", str(path)
        ),
        "`logparse replay --http --json`": lambda: process("replay", "--http", "--json", str(path)),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(given.rounds):
        for name, run in ways.items():
            taken[name].append(run())
    first = statistics.median(taken["the pipe"])
    print("| | CPU s | lines/s | best lines/s | times the pipe |\n|---|--:|--:|--:|--:|")
    for name, times in taken.items():
        median = statistics.median(times)
        rates = f"{given.lines / median:,.0f} | {given.lines / min(times):,.0f}"
        print(f"| {name} | {median:.2f} | {rates} | {median / first:.1f} |")


if __name__ == "__main__":
    main()
