"""`auto` for a browser that takes AVIF, which is slow to make: it must not wait for it."""

from generators import AVIF, WEBP, Ask, ask_all
from measure import median, wait_until_idle
from row import Row

COLD_AUTO = Row("cold auto for an AVIF browser: latency", "for a WebP browser", at_most=1.10)
THEN_AVIF = Row("bytes of the AVIF that is there later", "the WebP")
ROWS = [COLD_AUTO, THEN_AVIF]

RECIPE = "w=960"
LATER_S = 30


def _cold(site, photo, accept):
    wait_until_idle(site.vitrine.process, seconds=LATER_S)
    [answer] = ask_all(site.url, [Ask(photo.url(RECIPE, "auto"), accept)])
    return answer


def _later(site, photo):
    """The answer when what goes on in the background is over."""
    wait_until_idle(site.vitrine.process, seconds=LATER_S)
    [answer] = ask_all(site.url, [Ask(photo.url(RECIPE, "auto"), AVIF)])
    return answer


def measure(bed):
    """Pairs of the same picture under two ids, so that both are cold; who comes first changes."""
    photos = bed.wallpapers()[:4 if bed.is_quick else 13]
    with bed.site("auto", {"http": {"auto_formats": "avif webp"}}) as site:
        pairs = [bed.clone(photo, [f"avif-{number}", f"webp-{number}"]) for number, photo in enumerate(photos)]
        ask_all(site.url, [Ask(photo.url("original", "jpg")) for pair in pairs for photo in pair])
        ratios, sizes = [], []
        for number, (one, other) in enumerate(pairs):
            first, second = (AVIF, WEBP) if number % 2 else (WEBP, AVIF)
            answers = {first: _cold(site, one if first == AVIF else other, first)}
            answers[second] = _cold(site, one if second == AVIF else other, second)
            ratios.append(answers[AVIF].ms / answers[WEBP].ms)
            sizes.append(_later(site, one).bytes / answers[WEBP].bytes)
        for ratio, size in zip(ratios, sizes):
            COLD_AUTO.add(ratio, f"{answers[AVIF].ms:.0f} and {answers[WEBP].ms:.0f} ms")
            THEN_AVIF.add(size)
        COLD_AUTO.figures += f", median of {len(ratios)} photos {median(ratios):.2f}"
