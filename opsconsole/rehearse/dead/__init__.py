"""Proofs that an expression can never be true, by reasoning over its tree with the series that exist.

`judge` walks the tree from the leaves up. Of each part it finds what its series can be (`vectors`): which
labels they can have (`labels`, `languages`), which values (`ranges`), at which times (`clocks`), and what is
known of other expressions at the same moment. A part that can have no series is dead, and says why.
"""

from opsconsole.rehearse.dead.prover import prove, unfed

__all__ = ["prove", "unfed"]
