"""What happens in a day of a server's life, for the logs of every release."""

from collections.abc import Callable, Mapping

from tests.version_logs import Server


def a_day(server: Server) -> None:
    """The lives that jobs have in every release."""
    release = server.release
    server.boot()
    server.done(server.run(server.create()))
    server.fail(server.run(server.create()))
    server.fail(server.run(server.create()), slow=True)
    server.fail(server.run(server.create()), "UserError")
    server.fail(server.run(server.create()), "AccessError")
    if release.series >= 19:
        server.fail(server.run(server.create()), "MissingError")
        server.fail(server.run(server.create()), "LockError")
    server.done(server.run(server.create(channel="root.sub")))
    tried = server.create()
    server.retry(server.run(tried))
    server.retry(server.run(tried), conflict=True)
    server.done(server.run(tried))
    exhausted = server.create()
    server.retry(server.run(exhausted))
    server.fail(server.run(exhausted), "max retries")
    if release.series <= 17:
        server.done(server.run(server.create()), nothing=True)
    again = server.run(server.create())
    server.fail(again)
    server.requeue(again)
    server.done(server.run(again))
    refused = server.create()
    server.done(server.run(refused))
    for kind in server.refusals:
        if kind != "lock":
            server.refuse(refused, kind)


def trouble(server: Server) -> None:
    """Workers that are busy or die, people, restarts."""
    release = server.release
    requeues = release.writes("runner.requeued_dead")
    server.boot()
    server.fail(server.run(server.create()))
    busy = server.create()
    if not requeues:
        server.ask(busy)
        server.not_taken(busy)
        server.ask(busy)
        server.not_taken(busy)
    server.done(server.run(busy))
    if requeues and server.model == "prefork":
        died = server.run(server.create())
        server.kill(died)
        server.dead(died)
        server.done(server.run(died))
        given_up = server.create()
        for _ in range(2):
            server.run(given_up)
            server.kill(given_up)
            server.dead(given_up)
        server.run(given_up)
        server.kill(given_up)
        server.dead(given_up, gives_up=True)
    if "lock" in server.refusals:
        locked = server.create()
        server.ask(locked)
        server.refuse(locked, "lock")
        server.dead(locked)
        server.done(server.run(locked))
    channel = "root.unknown" if release.writes("channels.unknown") else "root"
    server.done(server.run(server.create(channel=channel)))
    if release.writes("ctl.depends_started"):
        child = server.create(waits=True)
        server.done(server.run(server.create()))
        server.released(child)
        server.done(server.run(child))
    if release.cancelled:
        server.cancel(server.create())
    if server.level == "warn" and server.model == "threaded":
        # No line tells of a restart: a new process that is worker and runner in one, after one that was
        # seen as a runner only, looks like a worker that forges the runner's lines, and is not believed.
        return
    server.restart()
    server.done(server.run(server.create()))
    failed = server.run(server.create())
    server.fail(failed)
    waiting = server.create()
    server.restart(kill=True)
    server.done(server.run(waiting))
    server.done(server.run(server.create()))
    server.requeue(failed)
    server.done(server.run(failed))


DAYS: Mapping[str, Callable[[Server], None]] = {"a day": a_day, "trouble": trouble}
