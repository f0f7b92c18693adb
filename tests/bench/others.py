"""Servers that do a part of it: six photos in six widths, JPEG from JPEG, from nothing.

iipsrv gets pyramids that were made beforehand, with each scale decoded already; what that cost stands beside it.
"""

import resource

from generators import Ask
from page_of_sizes import WIDTHS, Cost, our_path
from peers import ImageFilter, Iipsrv, Ipx, install_ipx
from row import Row
from vitrine import build_folder

FILTER_CPU = Row("six photos, JPEG to JPEG: CPU", "nginx image_filter (libgd)")
IIPSRV_CPU = Row("six photos, JPEG to JPEG: CPU, unlike", "iipsrv, from pyramids that are there")
IPX_CPU = Row("six photos, JPEG to JPEG: CPU", "ipx")
ROWS = [FILTER_CPU, IIPSRV_CPU, IPX_CPU]


def _cost_of(peer, wishes):
    with peer:
        return Cost(peer.url, peer.servers, [Ask(peer.path(*wish)) for wish in wishes])


def _make_pyramids(iipsrv, photos):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for photo in photos:
        iipsrv.pyramid(photo)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(bed):
    photos = [bed.wallpapers()[at] for at in (0, 3, 6, 8, 14, 15)]
    wishes = [(photo, width, "jpg") for photo in photos for width in WIDTHS]
    installed = install_ipx(build_folder() / "ipx")
    pyramids = _make_pyramids(Iipsrv(bed.folder / "iipsrv", bed.photos), photos)
    with bed.site("others") as site:
        for _ in range(bed.rounds(3)):
            bed.make_cold(site)
            ours = Cost(site.url, (site.vitrine.process, site.front.process), [Ask(our_path(*wish)) for wish in wishes])
            for row, peer, note in (
                    (FILTER_CPU, ImageFilter(bed.folder / "image-filter", bed.photos), ""),
                    (IIPSRV_CPU, Iipsrv(bed.folder / "iipsrv", bed.photos), f"; pyramids: {pyramids:.2f} s"),
                    (IPX_CPU, Ipx(bed.folder / "ipx", bed.photos, installed), "")):
                theirs = _cost_of(peer, wishes)
                row.add(ours.cpu / theirs.cpu, f"{ours.cpu:.2f} of {theirs.cpu:.2f} s{note}")
