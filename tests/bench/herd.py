"""Two hundred clients ask at the same moment for the same picture, which nobody has made."""

from bed import PLASMA
from generators import Ask, must_be_good, run_load
from measure import percentile, wait_until_idle
from process import StackError
from row import Row
from s3 import S3, FaultyS3, install_s3
from vitrine import build_folder, with_settings

CLIENTS = 200
HERD_MS = Row("200 clients, one cold variant: p99 of the answers", "one client", at_most=1.2)
HERD_GETS = Row("200 clients, one cold variant: GETs of the origin", "", at_least=1, at_most=1, unit="GET")
HERD_RENDERS = Row("200 clients, one cold variant: renders", "", at_least=1, at_most=1, unit="render")
DEFAULTS = Row("200 clients, 64 responders (the default): answers that are the picture", "", unit="of 200")
ROWS = [HERD_MS, HERD_GETS, HERD_RENDERS, DEFAULTS]

# So many can wait: a responder for each client, three quarters of the slow ones for those who follow.
RESPONDERS = {"server": {"responders": "288", "slow_responders": "280"}}

PHOTO = PLASMA / "SafeLanding/contents/images/5120x2880.jpg"
RECIPE, EXTENSION = "w=960", "webp"


def _renders(site):
    return sum(value for name, value in site.metrics().items() if name.startswith("vitrine_renders_total"))


class _Origin:
    """S3, with a counter before it."""

    def __init__(self, folder, installed):
        self.s3 = S3(folder / "s3", installed)
        self._counter = None
        self._folder, self._installed = folder, installed

    def __enter__(self):
        self.s3.start()
        try:
            self._counter = FaultyS3(self._folder / "counter", self._installed, upstream=self.s3.port).start()
        except BaseException:
            self.s3.stop()
            raise
        return self

    def __exit__(self, *_):
        self._counter.stop()
        self.s3.stop()

    def section(self):
        return {"kind": "s3", "endpoint": self._counter.endpoint, "bucket": "media", "path_style": "yes",
                "access_key_id": "S3RVER", "secret_access_key": "S3RVER"}

    def gets(self):
        return sum(request["method"] == "GET" for request in self._counter.seen())


def _ask(site, name, clients):
    answers = run_load(site.front.port, [Ask(f"/a/{name}/{RECIPE}/x.{EXTENSION}")] * clients, connections=clients)
    if len(answers) != clients:
        raise StackError(f"{len(answers)} answers for {clients} clients")
    return answers


def _import(bed, sections, names):
    """The same picture under keys of their own."""
    folder = bed.folder / "herd-photos"
    folder.mkdir()
    for name in names:
        (folder / f"{name}.jpg").write_bytes(PHOTO.read_bytes())
    bed.admin.sections = sections
    bed.admin.write_configuration()
    bed.admin.run("import", folder, "--origin=media", seconds=300)
    bed.admin.sections = bed.sections
    bed.admin.write_configuration()


def _measure_herd(site, origin, one, many):
    wait_until_idle(site.vitrine.process)
    [alone] = must_be_good(_ask(site, one, 1))
    wait_until_idle(site.vitrine.process)
    gets, renders = origin.gets(), _renders(site)
    together = percentile([answer.ms for answer in must_be_good(_ask(site, many, CLIENTS))], 99)
    HERD_MS.add(together / alone.ms, f"{together:.0f} and {alone.ms:.0f} ms")
    HERD_GETS.add(origin.gets() - gets)
    HERD_RENDERS.add(_renders(site) - renders)


def measure(bed):
    numbers = range(bed.rounds(5))
    with _Origin(bed.folder / "herd-origin", install_s3(build_folder() / "s3")) as origin:
        changes = {"origin.media": origin.section()}
        _import(bed, with_settings(bed.sections, changes), [
            "first", *(f"{kind}-{number}" for number in numbers for kind in ("one", "herd", "more"))])
        with bed.site("herd", {**changes, **RESPONDERS}) as site:
            must_be_good(_ask(site, "first", 1))
            for number in numbers:
                _measure_herd(site, origin, f"one-{number}", f"herd-{number}")
        with bed.site("herd-defaults", changes) as site:
            for number in numbers:
                answers = _ask(site, f"more-{number}", CLIENTS)
                DEFAULTS.add(sum(answer.status == 200 for answer in answers))
