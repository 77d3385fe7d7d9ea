"""What a correct server can have in common with a server of each accent, as it was measured.

`JOINING`: the server of that accent bootstraps at the one under test. `INTRODUCING`: the one under
test bootstraps at it, as at `samlovat`, which dials nobody. What is missing here no partner could
do: the original never says it, or drops it without a word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Reach:
    """All directions are seen from the server under test."""

    told: bool = True  # our users are known there
    hears: bool = True  # its users are known here
    direct_to: bool = True
    direct_from: bool = True
    public_to: bool = True
    public_from: bool = True
    file_to: bool = True
    file_from: bool = True
    twins: bool = True
    removes: bool = True  # that its users left is known here


ALL = Reach()
NO_FILE = Reach(file_to=False)
# No keys are exchanged, so nothing but public texts can pass.
G2 = Reach(told=False, hears=False, direct_to=False, direct_from=False, file_to=False,
           file_from=False, twins=False, removes=False)
# Knows no gossip: it learns our users from a WELCOME, and we learn its users from theirs.
G29 = Reach(told=False, hears=False, public_from=False, file_to=False, file_from=False,
            removes=False)

JOINING: dict[str, Reach] = {
    "text": ALL, "g2": G2, "g56": NO_FILE, "g45": ALL, "g17": ALL, "g29": G29, "g40": NO_FILE,
    "pezhy": NO_FILE, "admiral": NO_FILE, "g99": ALL,
}
INTRODUCING: dict[str, Reach] = {
    **JOINING,
    "g29": replace(G29, hears=True, direct_from=False, twins=False),
    "samlovat": Reach(public_to=False, public_from=False),
}
